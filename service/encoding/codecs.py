"""The codecs of results: which containers hold them, which pixels they code, and what quality means to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from service.encoding.pixels import PixelRange

CodecName = Literal["h264", "hevc", "av1", "vp9", "prores", "ffv1"]
ContainerName = Literal["mp4", "mov", "mkv", "webm"]
EncodeQuality = Literal["draft", "good", "high", "lossless"]
EncoderKind = Literal["software", "hardware"]
CONTAINERS: tuple[ContainerName, ...] = get_args(ContainerName)


@dataclass(frozen=True)
class Codec:
    """What is known of a codec without its encoder."""

    label: str
    containers: tuple[str, ...]
    pixels: PixelRange
    """What ``auto`` chooses from."""
    more_pixels: PixelRange | None = None
    """What can be asked for beyond that, although few players decode it."""
    crf: Mapping[str, int] = field(default_factory=dict)
    """The constant rate factor of each quality; empty for a codec that has none."""
    worst_crf: int = 0
    lossless: bool = True
    """Whether it can code without loss."""
    even_sizes: bool = True
    """Whether sides must be multiples of the chroma samples: 4:2:0 then has even ones."""

    @property
    def qualities(self) -> tuple[str, ...]:
        """The qualities that it offers, beside a rate factor."""
        if not self.crf:
            return ("lossless",) if self.lossless else ("draft", "good", "high")
        return (*self.crf, "lossless") if self.lossless else (*self.crf,)


CODECS: dict[str, Codec] = {
    "h264": Codec(
        label="H.264",
        containers=("mp4", "mov", "mkv"),
        pixels=PixelRange(("420",), (8,)),
        more_pixels=PixelRange(("420", "422", "444"), (8, 10)),
        # At 18 a second coding costs a blurred 640x360 clip 0.16 dB, at 14 it is 0.13 dB and a steady one gains 1 dB
        # over 18, for 1.6 times the bytes: what was restored should not be coded away.
        crf={"draft": 24, "good": 18, "high": 14},
        worst_crf=51,
    ),
    "hevc": Codec(
        label="HEVC",
        containers=("mp4", "mov", "mkv"),
        pixels=PixelRange(("420", "422", "444"), (8, 10, 12)),
        crf={"draft": 26, "good": 20, "high": 16},
        worst_crf=51,
    ),
    "av1": Codec(
        label="AV1",
        containers=("mp4", "mkv", "webm"),
        pixels=PixelRange(("420",), (8, 10)),
        crf={"draft": 40, "good": 28, "high": 18},
        worst_crf=63,
        lossless=False,  # SVT-AV1's lossless mode changes samples of 10 bits
        even_sizes=False,
    ),
    "vp9": Codec(
        label="VP9",
        containers=("mp4", "mkv", "webm"),
        pixels=PixelRange(("420", "422", "444"), (8,), alpha_chromas=("420",)),  # MP4 cannot name 4:4:0
        crf={"draft": 38, "good": 26, "high": 16},
        worst_crf=63,
        even_sizes=False,
    ),
    "prores": Codec(
        label="ProRes",
        containers=("mov", "mkv"),
        pixels=PixelRange(("422", "444"), (10,), alpha_chromas=("444",)),
        lossless=False,
        even_sizes=False,
    ),
    "ffv1": Codec(
        label="FFV1",
        containers=("mkv",),
        pixels=PixelRange(
            ("gray", "420", "422", "444", "rgb"), (8, 10, 12, 16), alpha_chromas=("420", "422", "444", "rgb")
        ),
        even_sizes=False,
    ),
}

HARDWARE: dict[str, PixelRange] = {
    "h264": PixelRange(("420",), (8,)),
    "hevc": PixelRange(("420",), (8, 10)),
    "av1": PixelRange(("420",), (8, 10)),
}
"""What hardware of all makers encodes."""

ALPHA_CONTAINERS: dict[str, tuple[str, ...]] = {
    "prores": ("mov", "mkv"),
    "vp9": ("mkv", "webm"),
    "ffv1": ("mkv",),
}
"""Where the transparency of a codec survives: VP9 keeps it beside its frames, which MP4 has no place for."""
