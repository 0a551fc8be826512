"""What became of a video: the numbers that show nothing was lost, and a sentence for each thing that was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from service.types import ColorTags, EncodeOptions


@dataclass(frozen=True)
class CopyCheck:
    """A copied stream on both sides: equal hashes mean equal packets."""

    kind: str
    codec: str
    packets: int
    source_sha256: str
    result_sha256: str

    @property
    def identical(self) -> bool:
        return self.source_sha256 == self.result_sha256


@dataclass(frozen=True)
class Versions:
    service: str
    ffmpeg: str
    pyav: str


@dataclass(frozen=True)
class FinalReport:
    """The fidelity report of one finished video."""

    frames_in: int
    frames_out: int
    largest_timestamp_error_s: float
    """Largest distance of a frame's time in the result from its time in the source."""
    timestamp_shift_s: float
    """Subtracted from every stream's times, because the source's clock began below zero or anywhere."""
    color_in: ColorTags
    color_out: ColorTags
    bit_depth_in: int
    bit_depth_out: int
    rotation_in: int
    rotation_out: int
    copies: tuple[CopyCheck, ...]
    dropped: tuple[str, ...]
    """Everything the result does not hold, in sentences."""
    pieces: int
    bytes: int
    codec: str
    options: EncodeOptions
    versions: Versions

    @property
    def losses(self) -> tuple[str, ...]:
        """What was dropped, and copies that are not the same on both sides."""
        changed = [f"{copy.kind} packets were changed" for copy in self.copies if not copy.identical]
        return (*self.dropped, *changed)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)
