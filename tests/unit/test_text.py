"""Counts are followed by the right form of their noun."""

from __future__ import annotations

import pytest

from service.text import plural


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (1000, "1000 frames")]
)
def test_one_is_singular_and_everything_else_plural(count: int, text: str) -> None:
    assert plural(count, "frame") == text


def test_irregular_plurals_are_given() -> None:
    assert [plural(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]
