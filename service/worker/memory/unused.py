"""Gives memory that was freed back to the kernel.

The GNU C library keeps what is freed for the thread that had it: there are up to eight such stores a core. Each segment
has threads of its own, for decoder, encoder and windows, so that the stores fill one after the other, and a worker
would grow by some 50 KiB a job for a very long time although nothing is in use for longer than the job.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

PAUSE_S = 20.0
"""Seconds between two times: each takes about a millisecond."""


def trim() -> bool:
    """Gives back every whole page that is free, where the C library has a call for that; returns False: it can wait."""
    call = _malloc_trim()
    if call is not None:
        call(0)
    return False


def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
