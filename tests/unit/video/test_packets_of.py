"""Whether reading some packets of a file, and no more, leaves memory behind."""

from __future__ import annotations

import ctypes
from pathlib import Path

from service.video.container import open_video, packets_of
from tests.support.clips import Clip, write_clip

ROUNDS = 4000
LEAST_LEAK = 100 * ROUNDS
"""Bytes: a generator that is not closed leaves about 150."""


_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class _Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS.split()]


def test_a_reader_that_stops_early_keeps_no_memory(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=3))
    with open_video(clip) as container:

        def read_one() -> None:
            container.seek(0)
            next(packets_of(container))

        for _ in range(100):
            read_one()
        before = _in_use()
        for _ in range(ROUNDS):
            read_one()

        assert _in_use() - before < LEAST_LEAK / 2


def test_packets_are_read_in_this_way_alone() -> None:
    service = Path(__file__).resolve().parents[3] / "service"

    assert [path.name for path in service.rglob("*.py") if ".demux(" in path.read_text("utf-8")] == [
        "container.py"
    ]


def _in_use() -> int:
    """Bytes that the C library has handed out."""
    call = ctypes.CDLL(None).mallinfo2
    call.restype = _Heap
    return int(call().uordblks)
