"""Tells what grows from what goes up and down."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean, linear_regression

EDGE = 0.2
"""Part of a series at each end whose mean counts as its value there."""


@dataclass
class Series:
    """What one thing measured, over time."""

    name: str
    unit: str
    allowed: float | None
    """By how much the end may lie above the beginning; None for what grows by its nature, such as a log."""
    digits: int = 0
    times: list[float] = field(default_factory=list)
    """In seconds."""
    values: list[float] = field(default_factory=list)

    def add(self, when: float, value: float) -> None:
        self.times.append(when)
        self.values.append(value)

    def ends(self) -> tuple[float, float]:
        """Returns the values at the beginning and at the end, each the mean of some."""
        edge = max(1, int(len(self.values) * EDGE))
        return fmean(self.values[:edge]), fmean(self.values[-edge:])


def slope(one: Series) -> float:
    """Returns by how much a series grows in a second, by least squares; 0 for a single value."""
    return linear_regression(one.times, one.values).slope if len(one.values) > 1 else 0.0


def grown(one: Series) -> bool:
    """Returns whether a series ends higher than it began, beyond what is allowed, and climbs."""
    first, last = one.ends()
    return one.allowed is not None and last - first > one.allowed and slope(one) > 0
