"""Writes quantities with their units, as people read them."""

from __future__ import annotations

from datetime import datetime


def duration(seconds: float) -> str:
    """Returns a time as a clock shows it: ``75`` is ``1:15``, ``3700`` is ``1:01:40``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def mebibytes(count: int) -> str:
    """Returns a number of bytes in MiB, with one decimal."""
    return f"{count / (1 << 20):.1f} MiB"


def local_time(moment: str) -> str:
    """Returns an RFC 3339 time in this machine's zone, to the minute: ``2026-03-01 14:05``; "" for none."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}" if moment else ""
