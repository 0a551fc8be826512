"""The light of HDR10: the display that a video was mastered on (SMPTE ST 2086), and its brightest pixels and frames.

Loads no numpy: the gateway's child processes use it, too.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

_CHROMATICITY, _LUMINANCE = 50_000, 10_000
"""Steps of a chromaticity of 1, and of 1 cd/m2, in boxes and in the messages of H.264 and HEVC."""
_RED, _GREEN, _BLUE, _WHITE = range(4)


@dataclass(frozen=True)
class MasteringDisplay:
    """The display that a video was mastered on."""

    points: tuple[tuple[int, int], ...]
    """x and y of red, green, blue and white, in steps of 0.00002."""
    darkest: int
    """In steps of 0.0001 cd/m2, as is ``brightest``."""
    brightest: int


@dataclass(frozen=True)
class Light:
    """What a video says of its light; None where it says nothing."""

    mastering: MasteringDisplay | None = None
    content: tuple[int, int] | None = None
    """The brightest pixel (MaxCLL) and the brightest frame on average (MaxFALL), in cd/m2."""

    @property
    def peak(self) -> float | None:
        """The brightest that the video has in cd/m2, or else the display; None where that is not said."""
        if self.content and self.content[0]:
            return float(self.content[0])
        return self.mastering.brightest / _LUMINANCE or None if self.mastering else None


def read_light(mastering: bytes | None, content: bytes | None) -> Light | None:
    """Reads FFmpeg's structures of a frame's side data; None where they say nothing."""
    display = _mastering(mastering) if mastering else None
    levels = struct.unpack("=2I", content[:8]) if content else None
    if levels is not None and not any(levels):
        levels = None
    return Light(display, levels) if display or levels else None


def _mastering(data: bytes) -> MasteringDisplay | None:
    numbers = struct.unpack("=22i", data[:88])
    if not (numbers[20] and numbers[21]):
        return None
    values = [Fraction(numbers[at], numbers[at + 1] or 1) for at in range(0, 20, 2)]
    points = [
        (_steps(values[at], _CHROMATICITY), _steps(values[at + 1], _CHROMATICITY)) for at in range(0, 8, 2)
    ]
    return MasteringDisplay(tuple(points), _steps(values[8], _LUMINANCE), _steps(values[9], _LUMINANCE))


def _steps(value: Fraction, per_unit: int) -> int:
    return round(value * per_unit)


def light_boxes(light: Light) -> dict[bytes, bytes]:
    """Returns the boxes of MP4 and MOV that say the same."""
    boxes = {}
    if light.mastering:
        one = light.mastering
        points = [number for at in (_GREEN, _BLUE, _RED, _WHITE) for number in one.points[at]]
        boxes[b"mdcv"] = struct.pack(">I4s8H2I", 32, b"mdcv", *points, one.brightest, one.darkest)
    if light.content:
        boxes[b"clli"] = struct.pack(">I4s2H", 12, b"clli", *(min(level, 65535) for level in light.content))
    return boxes


def mastering_text(one: MasteringDisplay) -> str:
    """Returns the display in steps, as x264 and x265 take it: ``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``."""
    return _text([(f"{x}", f"{y}") for x, y in one.points], f"{one.brightest}", f"{one.darkest}")


def mastering_text_in_units(one: MasteringDisplay) -> str:
    """Returns the same with chromaticities in 0..1 and light in cd/m2, as SVT-AV1 takes it."""
    points = [(f"{x / _CHROMATICITY:.5f}", f"{y / _CHROMATICITY:.5f}") for x, y in one.points]
    return _text(points, f"{one.brightest / _LUMINANCE:.4f}", f"{one.darkest / _LUMINANCE:.4f}")


def _text(points: Sequence[tuple[str, str]], brightest: str, darkest: str) -> str:
    named = "".join(
        f"{name}({','.join(points[at])})"
        for name, at in (("G", _GREEN), ("B", _BLUE), ("R", _RED), ("WP", _WHITE))
    )
    return f"{named}L({brightest},{darkest})"
