"""Finds out from keyframes where a video changes the size of its frames, or the shape of their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from service.video.frame_limit import MAX_PIXELS

_MOST_CHANGES = 16
"""After so many, nobody needs to know of more."""
_LOOKED_AT = 4096
"""Bytes of a packet in which parameter sets and headers are looked for."""


@dataclass(frozen=True)
class SizeChange:
    """A keyframe from which on frames have another size."""

    ordinal: int
    """Of its packet, among those of the stream."""
    width: int
    height: int


@dataclass(frozen=True)
class ShapeChange:
    """A keyframe from which on pixels have another shape: width to height."""

    ordinal: int
    aspect: Fraction


class SizeWatch:
    """Looks at the keyframes of a stream, and decodes those whose headers differ from the one before."""

    def __init__(self, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._header_of = _HEADERS.get(self._codec.codec.canonical_name)
        self._header: bytes | None = None
        self._extradata = self._codec.extradata
        self._size = (self._codec.width, self._codec.height)
        self._aspect = self._codec.sample_aspect_ratio or Fraction(1)
        self.changes: list[SizeChange] = []
        self.shapes: list[ShapeChange] = []

    def see(self, packet: Packet[Any], ordinal: int) -> None:
        """Looks at a packet of the stream."""
        anew = _new_extradata(packet)
        if anew is not None:
            self._extradata = anew
        if not packet.is_keyframe or len(self.changes) == _MOST_CHANGES:
            return
        header = self._header_of(bytes(packet)[:_LOOKED_AT]) if self._header_of else None
        if anew is None and (header is None or header == self._header):
            return
        first, self._header = self._header is None and anew is None, header
        decoder = None if first else self._decoded(packet)
        if decoder is not None:
            self._compare(decoder, ordinal)

    def _compare(self, decoder: VideoCodecContext, ordinal: int) -> None:
        size, aspect = (decoder.width, decoder.height), decoder.sample_aspect_ratio or Fraction(1)
        if size != self._size:
            self._size = size
            self.changes.append(SizeChange(ordinal, *size))
        if aspect != self._aspect and len(self.shapes) < _MOST_CHANGES:
            self._aspect = aspect
            self.shapes.append(ShapeChange(ordinal, aspect))

    def _decoded(self, packet: Packet[Any]) -> VideoCodecContext | None:
        """Returns a decoder that knows size and shape of the packet's frame; None where it does not decode."""
        decoder = CodecContext.create(self._codec.codec.name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata = self._extradata
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        try:
            alone = Packet(bytes(packet))
            frames = [*decoder.decode(alone), *decoder.decode(None)]
        except av.error.MemoryError:
            raise  # or its size would be known only to whoever has more memory
        except av.FFmpegError:
            return None  # who restores the frame will see
        return decoder if frames else None


def _new_extradata(packet: Packet[Any]) -> bytes | None:
    """Returns the parameters that a container announces with this packet."""
    if not packet.has_sidedata("new_extradata"):
        return None
    return bytes(packet.get_sidedata("new_extradata"))


def _nal_units(data: bytes, kinds: Callable[[int], bool]) -> bytes | None:
    """Returns the units of some kinds, which begin after 00 00 01 in a byte stream; None where there are none."""
    units = [unit for unit in data.split(b"\0\0\1")[1:] if unit and kinds(unit[0])]
    return b"".join(unit.rstrip(b"\0") for unit in units) or None


def _h264(data: bytes) -> bytes | None:
    return _nal_units(data, lambda first: first & 0x1F == 7)


def _hevc(data: bytes) -> bytes | None:
    return _nal_units(data, lambda first: first >> 1 & 0x3F == 33)


def _mpeg2(data: bytes) -> bytes | None:
    at = data.find(b"\0\0\1\xb3")
    return data[at + 4 : at + 7] if at >= 0 else None


def _vp8(data: bytes) -> bytes | None:
    return data[6:10]  # RFC 6386, section 9.1


def _vp9(data: bytes) -> bytes | None:
    return data[1:10]  # the uncompressed header up to the size


def _jpeg(data: bytes) -> bytes | None:
    """Returns height and width of the first start of frame."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if 0xC0 <= data[at + 1] <= 0xCF and data[at + 1] not in (0xC4, 0xC8, 0xCC):
            return data[at + 5 : at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _png(data: bytes) -> bytes | None:
    return data[16:24]


def _prores(data: bytes) -> bytes | None:
    return data[16:20]


_HEADERS: dict[str, Callable[[bytes], bytes | None]] = {
    "h264": _h264,
    "hevc": _hevc,
    "mpeg1video": _mpeg2,
    "mpeg2video": _mpeg2,
    "vp8": _vp8,
    "vp9": _vp9,
    "mjpeg": _jpeg,
    "png": _png,
    "prores": _prores,
}
"""What a keyframe says of its size, by codec; parameters that differ without the size are told apart by decoding."""
