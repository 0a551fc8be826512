"""Carries over boxes of MP4 and MOV that say how a picture is meant to be seen and that FFmpeg does not write.

These are the clean aperture (``clap``), stereo packing (``st3d``) and spherical projection (``sv3d``, at first a
``uuid`` box), from ISO/IEC 14496-12 and Google's Spherical Video RFC. They are copied byte for byte.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.findings import Code
from service.video.container import open_video, video_stream
from service.video.ranged import RangedFile

_SPHERICAL_V1 = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
CODES = {b"clap": Code.CROP, b"st3d": Code.STEREO, b"sv3d": Code.SPHERICAL, b"uuid": Code.SPHERICAL}
_SHOWN = (b"clap", b"st3d", b"sv3d", b"uuid")
_IN_TRACK = (b"uuid",)
"""What lies beside the description of the samples; all else is in it."""
_ENTRY_HEADER = 78
"""Bytes of a visual sample entry before its boxes, beside the header of the box."""
_STSD_HEADER = 8
_CHUNK = 1 << 20
_LARGEST_MOOV = 256 << 20


@dataclass(frozen=True)
class Box:
    """A box within a buffer: ``data[start:end]``, its content from ``body`` on."""

    kind: bytes
    start: int
    body: int
    end: int


def picture_boxes(
    file: BinaryIO | RangedFile, track: int | None = None, kinds: Collection[bytes] = _SHOWN
) -> dict[bytes, bytes]:
    """Returns the boxes of a file's video track by kind, each whole; none where it is no MP4 or damaged.

    ``track``: the id of the track; None is the first one with video. ``kinds``: those that are wanted.
    """
    try:
        moov = _read_moov(file)
        if moov is None:
            return {}
        found = _video_track(moov[1], track)
        return dict(_boxes_of(moov[1], found, kinds)) if found else {}
    except (struct.error, OSError, IndexError, StopIteration):
        return {}


def add_picture_boxes(path: Path, boxes: Mapping[bytes, bytes]) -> None:
    """Adds boxes to the first video track of an MP4 or MOV that has none of them. Raises ValueError and OSError."""
    with path.open("rb") as file:
        found = _read_moov(file)
    if found is None:
        raise ValueError("The file has no index.")
    place, moov = found
    changed = _with_boxes(moov, boxes)
    moved = _shifted(changed, place, len(changed) - len(moov))
    _replace(path, place, len(moov), moved)


def _read_moov(file: BinaryIO | RangedFile) -> tuple[int, bytes] | None:
    """Returns offset and bytes of the index."""
    size, offset = file.seek(0, os.SEEK_END), 0
    while offset + 8 <= size:
        file.seek(offset)
        head = _take(file, 16)
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1:
            length = struct.unpack(">Q", head[8:16])[0]
        length = length or size - offset
        if length < 8:
            return None
        if kind == b"moov":
            file.seek(offset)
            return (offset, _take(file, length)) if length <= _LARGEST_MOOV else None
        offset += length
    return None


def _take(file: BinaryIO | RangedFile, count: int) -> bytes:
    """Reads ``count`` bytes, also from files that give fewer at a time; less only at the end."""
    data = bytearray()
    while len(data) < count and (more := file.read(count - len(data))):
        data += more
    return bytes(data)


def _children(data: bytes, start: int, end: int) -> Iterator[Box]:
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", data[start : start + 8])
        body = start + 8
        if length == 1:
            length, body = struct.unpack(">Q", data[start + 8 : start + 16])[0], start + 16
        length = length or end - start
        if length < body - start or start + length > end:
            return
        yield Box(kind, start, body, start + length)
        start += length


def _child(data: bytes, box: Box, *path: bytes) -> Box | None:
    for kind in path:
        found = next((each for each in _children(data, box.body, box.end) if each.kind == kind), None)
        if found is None:
            return None
        box = found
    return box


def _root(moov: bytes) -> Box:
    return next(_children(moov, 0, len(moov)))


def _video_track(moov: bytes, track: int | None) -> Box | None:
    for trak in _children(moov, _root(moov).body, len(moov)):
        handler = _child(moov, trak, b"mdia", b"hdlr") if trak.kind == b"trak" else None
        if handler and moov[handler.body + 8 : handler.body + 12] == b"vide":
            header = _child(moov, trak, b"tkhd")
            if track is None or (header and _track_id(moov, header) == track):
                return trak
    return None


def _track_id(moov: bytes, header: Box) -> int:
    place = header.body + (20 if moov[header.body] == 1 else 12)
    return int(struct.unpack(">I", moov[place : place + 4])[0])


def _entry(moov: bytes, trak: Box) -> Box | None:
    table = _child(moov, trak, b"mdia", b"minf", b"stbl", b"stsd")
    return next(_children(moov, table.body + _STSD_HEADER, table.end), None) if table else None


def _boxes_of(moov: bytes, trak: Box, kinds: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    entry = _entry(moov, trak)
    if entry:
        for box in _children(moov, entry.body + _ENTRY_HEADER, entry.end):
            if box.kind in kinds:
                yield box.kind, moov[box.start : box.end]
    for box in _children(moov, trak.body, trak.end):
        if box.kind in _IN_TRACK and box.kind in kinds and moov[box.body : box.body + 16] == _SPHERICAL_V1:
            yield box.kind, moov[box.start : box.end]


def _with_boxes(moov: bytes, boxes: Mapping[bytes, bytes]) -> bytes:
    trak = _video_track(moov, None)
    entry = _entry(moov, trak) if trak else None
    if trak is None or entry is None:
        raise ValueError("The file has no video track.")
    inner = b"".join(box for kind, box in boxes.items() if kind not in _IN_TRACK)
    outer = b"".join(box for kind, box in boxes.items() if kind in _IN_TRACK)
    data = bytearray(moov)
    data[trak.end : trak.end] = outer
    data[entry.end : entry.end] = inner
    around = [_child(moov, trak, *path) for path in _PATHS]
    for box in (*around, entry):
        _grow(data, box, len(inner))
    for box in (_root(moov), trak):
        _grow(data, box, len(inner) + len(outer))
    return bytes(data)


_PATHS = ((b"mdia",), (b"mdia", b"minf"), (b"mdia", b"minf", b"stbl"), (b"mdia", b"minf", b"stbl", b"stsd"))


def _grow(data: bytearray, box: Box | None, by: int) -> None:
    assert box is not None
    struct.pack_into(">I", data, box.start, box.end - box.start + by)


def _shifted(moov: bytes, place: int, by: int) -> bytes:
    """Returns the index with the places of all samples behind it moved."""
    data = bytearray(moov)
    for trak in _children(moov, _root(moov).body, len(moov)):
        table = _child(moov, trak, b"mdia", b"minf", b"stbl") if trak.kind == b"trak" else None
        for box in _children(moov, table.body, table.end) if table else ():
            if box.kind in (b"stco", b"co64"):
                _shift(data, box, ">I" if box.kind == b"stco" else ">Q", place, by)
    return bytes(data)


def _shift(data: bytearray, box: Box, form: str, place: int, by: int) -> None:
    width = struct.calcsize(form)
    for at in range(box.body + 8, box.end, width):
        offset = struct.unpack_from(form, data, at)[0]
        if offset > place:
            if offset + by >= 1 << (8 * width):
                raise ValueError("The file is too long for its kind of index.")
            struct.pack_into(form, data, at, offset + by)


def _replace(path: Path, place: int, length: int, moov: bytes) -> None:
    made = path.with_name(f"{path.name}.boxes")
    try:
        with path.open("rb") as source, made.open("wb") as target:
            target.write(_take(source, place))
            target.write(moov)
            source.seek(place + length)
            shutil.copyfileobj(source, target, _CHUNK)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def source_boxes(media: Path | RangedFile, kinds: Collection[bytes] = _SHOWN) -> dict[bytes, bytes]:
    """Returns the boxes of the track of a source that is restored."""
    with open_video(media) as container:
        if not container.format.name.startswith("mov"):
            return {}
        track = video_stream(container).id
    if isinstance(media, Path):
        with media.open("rb") as file:
            return picture_boxes(file, track, kinds)
    return picture_boxes(media, track, kinds)
