"""Compares two files, one made of the other, without knowing how it was made."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

from service.findings import Finding, merged
from service.pipeline.comparison.decoded import decode_all, decoded_findings
from service.pipeline.comparison.others import content_findings, read_contents
from service.pipeline.comparison.pictures import picture_findings
from service.pipeline.comparison.sounds import read_sounds, sound_findings
from service.video.source import load_source


def verify(given: Path, result: Path, on_progress: Callable[[int, int], None]) -> tuple[Finding, ...]:
    """Returns a finding for each property that ``given`` has: whether ``result`` has it, too.

    Pixels are not compared: they are what a restoration changes. ``on_progress`` gets the number of decoded frames of
    both files, and of all. Raises the kinds of VideoError, PipelineError and FileNotFoundError.
    """
    one, two = load_source(given), load_source(result)
    total, numbers = one.index.frames + two.index.frames, count(1)

    def on_frame() -> None:
        on_progress(next(numbers), total)

    findings = (
        *picture_findings(one, two),
        *decoded_findings(one, decode_all(one, on_frame), two, decode_all(two, on_frame)),
        *sound_findings(read_sounds(one), read_sounds(two)),
        *content_findings(read_contents(given), read_contents(result)),
    )
    return merged(findings)
