"""The fidelity report of a result: numbers that show that nothing was lost, and a sentence for each loss."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from service.findings import Finding, lost, sentence
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
    findings: tuple[Finding, ...]
    """What became of each property and stream."""
    pieces: int
    bytes: int
    codec: str
    options: EncodeOptions
    versions: Versions

    @property
    def losses(self) -> tuple[str, ...]:
        """A sentence for each thing that the result lacks."""
        return lost(self.findings)

    def to_json(self) -> str:
        """Returns the report as indented JSON."""
        findings = [{**asdict(one), "text": sentence(one)} for one in self.findings]
        return json.dumps({**asdict(self), "findings": findings, "losses": self.losses}, indent=2)
