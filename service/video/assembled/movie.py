"""Writes the head of an MP4 movie whose frames lie behind it, one after the other (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_DPI_72 = 72 << 16
_LARGE = 1
"""As the size of a box: the real one follows in 64 bits."""


@dataclass(frozen=True)
class Frames:
    """What the one track of a movie is made of."""

    codec: bytes
    """Four characters."""
    width: int
    height: int
    tick: Fraction
    """Seconds per unit of ``durations``."""
    durations: Sequence[int]
    sizes: Sequence[int]
    """Bytes of each frame."""


def movie_head(frames: Frames) -> bytes:
    """Returns all bytes of a movie before those of its first frame."""
    brands = _box(b"ftyp", b"isom\0\0\2\0isomiso2")
    data = struct.pack(">I4sQ", _LARGE, b"mdat", 16 + sum(frames.sizes))
    length = len(brands) + len(_movie(frames, 0)) + len(data)
    return brands + _movie(frames, length) + data


def _movie(frames: Frames, first: int) -> bytes:
    """Returns the index; ``first`` is the byte of the file where the first frame begins."""
    scale, length = frames.tick.denominator, sum(frames.durations) * frames.tick.numerator
    head = struct.pack(">IIIIIH10x", 0, 0, scale, length, 1 << 16, 1 << 8) + _MATRIX
    track = struct.pack(">III4xI8xHHHH", 0, 0, 1, length, 0, 0, 0, 0) + _MATRIX
    track += struct.pack(">II", frames.width << 16, frames.height << 16)
    media = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, length, 0x55C4, 0))
    media += _full(b"hdlr", struct.pack(">4x4s12x", b"vide") + b"frames\0")
    here = _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1))
    inner = _full(b"vmhd", bytes(8), flags=1) + _box(b"dinf", here) + _box(b"stbl", _table(frames, first))
    trak = _full(b"tkhd", track, flags=3) + _box(b"mdia", media + _box(b"minf", inner))
    next_track = struct.pack(">24xI", 2)
    return _box(b"moov", _full(b"mvhd", head + next_track) + _box(b"trak", trak))


def _table(frames: Frames, first: int) -> bytes:
    count = len(frames.sizes)
    runs = [(len(list(run)), ticks * frames.tick.numerator) for ticks, run in groupby(frames.durations)]
    times = struct.pack(">I", len(runs)) + b"".join(struct.pack(">II", *run) for run in runs)
    return (
        _full(b"stsd", struct.pack(">I", 1) + _entry(frames))
        + _full(b"stts", times)
        + _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1))
        + _full(b"stsz", struct.pack(f">II{count}I", 0, count, *frames.sizes))
        + _full(b"co64", struct.pack(">IQ", 1, first))
    )


def _entry(frames: Frames) -> bytes:
    size = struct.pack(">HHII4xH", frames.width, frames.height, _DPI_72, _DPI_72, 1)
    return _box(frames.codec, struct.pack(">6xH16x", 1) + size + bytes(32) + struct.pack(">Hh", 24, -1))


def _full(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags) + content)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
