"""Tells how much a file announces and does not hold: an upload or a copy that ended too early."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from service.video.packets.track import HIDDEN, NO_TIME, Track

HEAD = 128
"""How many bytes of the beginning of a file are looked at."""

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_UNSURE_S = 1
"""FLV announces its duration only roughly, so that less than this is not missed."""


def lost_seconds(
    container: InputContainer, stream: VideoStream, tracks: Mapping[int, Track], head: bytes
) -> Fraction:
    """Returns the seconds that the file announces after its last packet; 0 for a complete file.

    ``head``: the first HEAD bytes of the file.
    """
    name = container.format.name
    if name.startswith("mov"):
        return _lost_of_mp4(container, stream)
    if name == "avi":
        picture = tracks[stream.index]
        return max(stream.frames - _end(picture) // _ticks(picture), 0) * _ticks(picture) * picture.time_base
    if container.duration is None:
        return Fraction(0)
    lost = Fraction(container.duration, av.time_base) - max(map(_end_seconds, tracks.values()))
    if name.startswith("matroska"):
        return max(lost, Fraction(0)) if _matroska_is_cut(head, container.size) else Fraction(0)
    return lost if name == "flv" and lost > _UNSURE_S else Fraction(0)


def _lost_of_mp4(container: InputContainer, stream: VideoStream) -> Fraction:
    """Returns how long the frames are that the index of an MP4 file lists past the end of the file."""
    entries = [(entry.timestamp, entry.pos + entry.size <= container.size) for entry in stream.index_entries]
    if all(whole for _, whole in entries):
        return Fraction(0)
    last = max(moment for moment, _ in entries)
    kept = max((moment for moment, whole in entries if whole), default=entries[0][0])
    return (last - kept) * (stream.time_base or Fraction(0))


def _ticks(track: Track) -> int:
    return next((duration for duration in track.duration if duration), 1)


def _end(track: Track) -> int:
    series = zip(track.pts, track.duration, track.flags, strict=True)
    ends = (pts + duration for pts, duration, flags in series if pts != NO_TIME and not flags & HIDDEN)
    return max(ends, default=0)


def _end_seconds(track: Track) -> Fraction:
    return _end(track) * track.time_base


def _matroska_is_cut(head: bytes, size: int) -> bool:
    """Returns whether the one segment of a Matroska file would go on after the file's end (RFC 8794, 9559)."""
    if not head.startswith(_EBML):
        return False
    length, at = _number(head, len(_EBML))
    begin = at + (length or 0)
    if head[begin : begin + len(_SEGMENT)] != _SEGMENT:
        return False
    length, at = _number(head, begin + len(_SEGMENT))
    return length is not None and at + length > size


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """Reads a number of variable length; returns it, None where it says that it is unknown, and where it ends."""
    if at >= len(data) or not data[at]:
        return None, at
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), at + width
