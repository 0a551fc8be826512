"""The fidelity report of a result: numbers that show that nothing was lost, and a sentence for each loss."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from service.types import ColorTags, EncodeOptions


@dataclass(frozen=True)
class CopyCheck:
    """Compares a copied stream in source and result: equal hashes mean equal packets."""

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
    """The software that made a result."""

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
    """Seconds subtracted from every stream's times, because the source's clock does not begin at zero."""
    color_in: ColorTags
    color_out: ColorTags
    bit_depth_in: int
    bit_depth_out: int
    rotation_in: int
    rotation_out: int
    copies: tuple[CopyCheck, ...]
    dropped: tuple[str, ...]
    """A sentence for each thing that the result does not hold."""
    pieces: int
    bytes: int
    codec: str
    options: EncodeOptions
    versions: Versions

    @property
    def losses(self) -> tuple[str, ...]:
        """Sentences for what was dropped, and for copies that differ between source and result."""
        changed = [f"{copy.kind} packets were changed" for copy in self.copies if not copy.identical]
        return (*self.dropped, *changed)

    def to_json(self) -> str:
        """Returns the report as indented JSON."""
        return json.dumps(asdict(self), indent=2)
