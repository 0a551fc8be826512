"""What a container says of its pictures' color, for streams that do not say it themselves.

Loads no numpy: the gateway's child processes use it, too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from service.types import ColorTags
from service.video.container import head_of
from service.video.headers.boxes import source_boxes
from service.video.headers.programs import descriptors_of
from service.video.ranged import RangedFile

_UNSPECIFIED = 2
_DOLBY_VISION = (b"dvcC", b"dvvC")
KINDS = (b"colr", *_DOLBY_VISION)
_DESCRIPTOR = 0xB0
"""The tag of Dolby Vision in the program map of a transport stream."""
_MATROSKA = b"\x1a\x45\xdf\xa3"
_MATROSKA_HEAD = 256 << 10
"""Bytes that hold the tracks of Matroska files; they come before the first frame."""
_MAPPING_TYPE, _MAPPING_DATA = b"\x41\xe7\x84", b"\x41\xed"


@dataclass(frozen=True)
class DolbyVision:
    """A configuration of Dolby Vision."""

    profile: int
    compatibility: int
    """What players without Dolby Vision see: 0 is nothing that is meant to be seen, 1 HDR10, 2 SDR, 4 HLG."""

    @property
    def base(self) -> str | None:
        """Names what the frames are without Dolby Vision; None where their colors are its own."""
        if self.profile == 5 or (self.compatibility == 0 and self.profile not in (4, 7)):
            return None
        return {1: "HDR10", 2: "SDR", 4: "HLG", 6: "HDR10"}.get(self.compatibility, "HDR10")


@dataclass(frozen=True)
class Said:
    """What a container says."""

    color: ColorTags | None = None
    """2 stands for what it does not say."""
    dolby_vision: DolbyVision | None = None


def container_says(media: Path | RangedFile, pid: int | None = None) -> Said:
    """Reads the header of a file; one that is damaged, or of another format, says nothing.

    ``pid``: of the video, where the file is an MPEG transport stream.
    """
    if pid is not None:
        return Said(dolby_vision=_of_transport(descriptors_of(media, _DESCRIPTOR).get(pid, b"")))
    if head_of(media, 4) == _MATROSKA:
        return Said(dolby_vision=_of_matroska(head_of(media, _MATROSKA_HEAD)))
    boxes = source_boxes(media, KINDS)
    visions = [_dolby_vision(boxes[kind][8:]) for kind in _DOLBY_VISION if kind in boxes]
    return Said(_color(boxes[b"colr"][8:]) if b"colr" in boxes else None, visions[0] if visions else None)


def filled(tags: ColorTags, said: ColorTags | None) -> ColorTags:
    """Returns the tags of a stream, with the container's where it has none."""
    if said is None:
        return tags
    full = said.full_range if tags.matrix == _UNSPECIFIED and said.full_range else tags.full_range
    return replace(
        tags,
        primaries=_first(tags.primaries, said.primaries),
        transfer=_first(tags.transfer, said.transfer),
        matrix=_first(tags.matrix, said.matrix),
        full_range=full,
    )


def _first(own: int, other: int) -> int:
    return other if own == _UNSPECIFIED else own


def _color(body: bytes) -> ColorTags | None:
    """Reads ``nclx``, and QuickTime's ``nclc``, which is the same without the range."""
    if body[:4] not in (b"nclx", b"nclc") or len(body) < 10:
        return None
    primaries, transfer, matrix = struct.unpack(">3H", body[4:10])
    full = body[:4] == b"nclx" and len(body) > 10 and bool(body[10] & 0x80)
    return ColorTags(primaries, transfer, matrix, full)


def _dolby_vision(body: bytes) -> DolbyVision | None:
    """Reads a DOVIDecoderConfigurationRecord."""
    if len(body) < 5:
        return None
    return DolbyVision(body[2] >> 1, body[4] >> 4)


def _of_transport(body: bytes) -> DolbyVision | None:
    """Reads the descriptor of a video stream, which is such a record unless the stream only refines another one."""
    is_base = len(body) > 3 and body[3] & 1
    return _dolby_vision(body if is_base else body[:4] + body[6:])


def _of_matroska(head: bytes) -> DolbyVision | None:
    """Reads the mapping of what lies beside the frames, by its type and its data."""
    for kind in _DOLBY_VISION:
        at = head.find(_MAPPING_TYPE + kind)
        data = head.find(_MAPPING_DATA, at) if at >= 0 else -1
        if data >= 0:
            return _dolby_vision(head[data + 3 :])
    return None
