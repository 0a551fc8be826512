"""What a video's coding adds to the memory that it takes: its decoder, its encoder, and frames kept as they were."""

from __future__ import annotations

from dataclasses import dataclass

from service.encoding.choice import result_pixels
from service.encoding.pixels import HUGE_PIXELS, Pixels
from service.types import EncodeOptions

_PLAIN = 1.5
"""Bytes of a pixel in 8-bit 4:2:0."""
_DECODED = 10
"""Frames that a decoder, and what follows it, hold of a large picture."""
_ENCODER = {"h264": 135.0, "hevc": 125.0}
"""Bytes per pixel of 8-bit 4:2:0 in an encoder, which looks 40 frames ahead; of others nothing was measured."""
_HUGE_ENCODER = {"h264": 27.0, "hevc": 64.0}
"""The same for pictures of HUGE_PIXELS, for which encoders look fewer frames ahead."""
_UNKNOWN = 135.0


@dataclass(frozen=True)
class Coding:
    """How a video and its result are coded."""

    codec: str = "h264"
    """Of the result."""
    picture: float = _PLAIN
    """Bytes per pixel of a frame as it is decoded."""
    result: float = _PLAIN
    """Bytes per pixel of a frame of the result."""
    kept: bool = False
    """Whether frames are kept as they were decoded until they are encoded, for what RGB of 8 bits does not hold."""

    def bytes(self, pixels: int, frames: int) -> float:
        """Returns bytes per pixel beside windows: for frames of ``pixels``, of which ``frames`` are kept at a time."""
        table = _HUGE_ENCODER if pixels >= HUGE_PIXELS else _ENCODER
        encoder = table.get(self.codec, _UNKNOWN) * self.result / _PLAIN
        return encoder + self.picture * (_DECODED + (frames if self.kept else 0))


USUAL = Coding()


def coding(options: EncodeOptions, source: Pixels) -> Coding:
    """Returns how a video with such pixels and its result are coded."""
    result = result_pixels(options, source)
    kept = options.encode_quality == "lossless" or not (source.plain and result.plain)
    return Coding(options.codec, source.bytes, result.bytes, kept)
