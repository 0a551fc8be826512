"""Writes quantities with their units, as people read them."""

from __future__ import annotations

from datetime import datetime

_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def duration(seconds: float) -> str:
    """Returns a time as a clock shows it: ``75`` is ``1:15``, ``3700`` is ``1:01:40``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def data_size(count: int) -> str:
    """Returns a number of bytes with one decimal: ``49.6 KiB``, ``1.2 MiB``, ``3.4 GiB``."""
    unit, size = next(((name, size) for name, size in _SIZES if count >= size), _SIZES[-1])
    return f"{count / size:.1f} {unit}"


def local_time(moment: str) -> str:
    """Returns an RFC 3339 time in this machine's zone, to the minute: ``2026-03-01 14:05``; "" for none."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}" if moment else ""
