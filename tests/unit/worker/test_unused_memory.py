"""Whether memory that was freed is the kernel's again."""

from __future__ import annotations

import ctypes

import psutil

from service.worker.memory.unused import trim

BLOCK, BLOCKS = 100_000, 600
"""Below the size from which on the C library asks the kernel for each block by itself."""


def test_freed_memory_goes_back_although_a_later_block_is_in_use() -> None:
    c = ctypes.CDLL(None)
    c.malloc.restype, c.malloc.argtypes, c.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    blocks = [c.malloc(BLOCK) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    full = psutil.Process().memory_info().rss
    for block in blocks[:-1]:
        c.free(block)
    trim()
    left = psutil.Process().memory_info().rss
    c.free(blocks[-1])

    assert full - left > BLOCK * BLOCKS / 2
