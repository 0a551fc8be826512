"""Writes quantities with their units, as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Returns a time as a clock shows it: ``75`` is ``1:15``, ``3700`` is ``1:01:40``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def mebibytes(count: int) -> str:
    """Returns a number of bytes in MiB, with one decimal."""
    return f"{count / (1 << 20):.1f} MiB"
