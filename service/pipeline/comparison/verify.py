"""Compares two files, one made of the other, without knowing how it was made."""

from __future__ import annotations

from pathlib import Path

from service.findings import Finding
from service.pipeline.comparison.others import content_findings, read_contents
from service.pipeline.comparison.pictures import picture_findings
from service.pipeline.comparison.sounds import read_sounds, sound_findings
from service.video.source import load_source


def verify(given: Path, result: Path) -> tuple[Finding, ...]:
    """Returns a finding for each property that ``given`` has: whether ``result`` has it, too.

    Pixels are not compared: they are what a restoration changes. Raises the kinds of VideoError and FileNotFoundError.
    """
    return (
        *picture_findings(load_source(given), load_source(result)),
        *sound_findings(read_sounds(given), read_sounds(result)),
        *content_findings(read_contents(given), read_contents(result)),
    )
