"""Checks strict jobs, whose result has to hold everything that the upload holds. Loads neither numpy nor FFmpeg."""

from __future__ import annotations

from collections.abc import Iterable

from service.errors.pipeline import FidelityLost
from service.findings import Finding, lost


def require_lossless(findings: Iterable[Finding]) -> None:
    """Raises FidelityLost, naming each loss, unless there is none."""
    losses = lost(findings)
    if losses:
        raise FidelityLost(f"The result would not hold everything: {' '.join(losses)}")
