"""Writes typed options as the text fields of a form, which all submissions are kept as."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from service.options import JobOptions


def texts_of(options: JobOptions, without: Collection[str] = ()) -> dict[str, str]:
    """Returns the options that were given, but those named ``without``, as text."""
    given = options.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude=set(without))
    return {name: _text(value) for name, value in given.items()}


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
