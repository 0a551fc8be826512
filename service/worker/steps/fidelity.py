"""Checks of strict jobs, whose result has to hold everything that the upload holds."""

from __future__ import annotations

from service.errors.pipeline import FidelityLost


def require_lossless(losses: tuple[str, ...]) -> None:
    """Raises FidelityLost, naming each loss, unless there is none."""
    if losses:
        raise FidelityLost(f"The result would not hold everything: {'; '.join(losses).rstrip('.')}.")
