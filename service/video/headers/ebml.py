"""Writes the shape of pixels into Matroska and WebM, whose muxer in FFmpeg PyAV cannot tell of it (RFC 9559).

The track's description grows by a few bytes, and the space that the muxer leaves in front of it shrinks by as many, so
that nothing else in the file moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zlib import crc32

_SEGMENT, _SEEK_HEAD, _VOID, _TRACKS = (
    bytes.fromhex(one) for one in ("18538067", "114d9b74", "ec", "1654ae6b")
)
_SEEK_POSITION, _CRC = bytes.fromhex("53ac"), bytes.fromhex("bf")
_ENTRY, _TYPE, _VIDEO = (bytes.fromhex(one) for one in ("ae", "83", "e0"))
_WIDTH, _HEIGHT, _UNIT = (bytes.fromhex(one) for one in ("54b0", "54ba", "54b2"))
_VIDEO_TYPE = b"\x01"
_AS_RATIO = 3
"""The unit in which the display's width and height are only their ratio. WebM has none but pixels."""
_HEAD = 4 << 20
"""Bytes in which the description of the tracks ends; it comes before the first frame."""


@dataclass(frozen=True)
class Element:
    """An element within a buffer: ``data[start:end]``, its content from ``body`` on."""

    id: bytes
    start: int
    body: int
    end: int


def set_pixel_aspect(path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    """Gives the first video track of ``size`` (width, height) pixels of this shape.

    Raises ValueError for a file of another structure, and OSError.
    """
    with path.open("r+b") as file:
        head = file.read(_HEAD)
        try:
            start, changed = _changed(head, _display(aspect, size, b"webm" in head[:64]))
        except (IndexError, StopIteration) as error:
            raise ValueError("The file has no description of its tracks where it was expected.") from error
        file.seek(start)
        file.write(changed)


def _display(aspect: Fraction, size: tuple[int, int], webm: bool) -> bytes:
    width, height = size
    if not webm:
        shape = aspect * Fraction(width, height)
        return (
            _number(_WIDTH, shape.numerator) + _number(_HEIGHT, shape.denominator) + _number(_UNIT, _AS_RATIO)
        )
    if aspect > 1:
        return _number(_WIDTH, round(width * aspect)) + _number(_HEIGHT, height)
    return _number(_WIDTH, width) + _number(_HEIGHT, round(height / aspect))


def _changed(head: bytes, display: bytes) -> tuple[int, bytes]:
    """Returns where the changed part begins, and its bytes, which are as many as before."""
    segment = next(one for one in _elements(head, 0, len(head)) if one.id == _SEGMENT)
    parts: list[Element] = []
    for one in _elements(head, segment.body, len(head)):
        parts.append(one)
        if one.id == _TRACKS:
            break
    seeks, tracks = next(one for one in parts if one.id == _SEEK_HEAD), parts[-1]
    space = next(one for one in parts if one.id == _VOID)
    described = _described(head, tracks, display)
    grown = len(described) - (tracks.end - tracks.start)
    if tracks.id != _TRACKS or seeks.end != space.start:
        raise ValueError("The file is not in the order of FFmpeg's muxer.")
    moved = _moved(head, seeks, range(space.end - segment.body, tracks.start - segment.body + 1), grown)
    kept = head[space.end : tracks.start]
    return seeks.start, moved + _space(space.end - space.start - grown) + kept + described


def _described(data: bytes, tracks: Element, display: bytes) -> bytes:
    """Returns the tracks with the first picture's display changed."""
    content, pending, checked = b"", True, False
    for entry in _elements(data, tracks.body, tracks.end):
        if entry.id == _CRC:
            checked = True
            continue
        fields = list(_elements(data, entry.body, entry.end))
        is_video = any(one.id == _TYPE and data[one.body : one.end] == _VIDEO_TYPE for one in fields)
        if entry.id == _ENTRY and is_video and pending:
            pending = False
            inner = (
                _shown(data, one, display) if one.id == _VIDEO else data[one.start : one.end]
                for one in fields
            )
            content += _element(_ENTRY, b"".join(inner))
        else:
            content += data[entry.start : entry.end]
    return _element(_TRACKS, _with_checksum(content) if checked else content)


def _shown(data: bytes, video: Element, display: bytes) -> bytes:
    fields = _elements(data, video.body, video.end)
    kept = (data[one.start : one.end] for one in fields if one.id not in (_WIDTH, _HEIGHT, _UNIT))
    return _element(_VIDEO, b"".join(kept) + display)


def _moved(data: bytes, seeks: Element, places: range, by: int) -> bytes:
    """Returns the list of places with those that are moved to the front by so many bytes."""
    content, checked = b"", False
    for seek in _elements(data, seeks.body, seeks.end):
        if seek.id == _CRC:
            checked = True
            continue
        inner = b""
        for one in _elements(data, seek.body, seek.end):
            value = int.from_bytes(data[one.body : one.end], "big")
            moves = one.id == _SEEK_POSITION and value in places
            body = (value - by).to_bytes(one.end - one.body, "big") if moves else data[one.body : one.end]
            inner += _element(one.id, body)
        content += _element(seek.id, inner)
    moved = data[seeks.start : seeks.body] + (_with_checksum(content) if checked else content)
    if len(moved) != seeks.end - seeks.start:
        raise ValueError("The list of places cannot be kept in its own length.")
    return moved


def _with_checksum(content: bytes) -> bytes:
    return _element(_CRC, crc32(content).to_bytes(4, "little")) + content


def _space(length: int) -> bytes:
    if length < 2:
        raise ValueError("The file leaves no space for the shape of its pixels.")
    width = 1 if length < 129 else 8
    return _element(_VOID, bytes(length - 1 - width), width)


def _number(name: bytes, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _element(name: bytes, body: bytes, width: int = 0) -> bytes:
    """Returns an element whose size is written in ``width`` bytes; 0 is as few as possible."""
    width = width or next(each for each in range(1, 9) if len(body) < (1 << 7 * each) - 1)
    return name + (len(body) | 1 << 7 * width).to_bytes(width, "big") + body


def _elements(data: bytes, start: int, end: int) -> Iterator[Element]:
    while start < end:
        name = data[start : start + _width(data[start])]
        at = start + len(name)
        width = _width(data[at])
        size = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        body = at + width
        unknown = size == (1 << 7 * width) - 1
        yield Element(name, start, body, end if unknown else body + size)
        start = end if unknown else body + size


def _width(first: int) -> int:
    """Returns the bytes of a number of variable length, from its first one. Raises IndexError where there is none."""
    if first == 0:
        raise IndexError(first)
    return 9 - first.bit_length()
