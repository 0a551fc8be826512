"""Wording of messages to users."""

from __future__ import annotations


def plural(count: int, noun: str, several: str | None = None) -> str:
    """Returns a count with its noun: ``plural(1, "frame")`` is "1 frame", ``plural(2, "frame")`` is "2 frames".

    ``several`` is the plural of a noun that does not form it with an s, such as "entries".
    """
    return f"{count} {noun if count == 1 else several or noun + 's'}"
