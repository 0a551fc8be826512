"""Line charts drawn with OpenCV, which is here anyway: a plotting library would be one more thing to install."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 230, 40, 36
"""Margins around the plot, in pixels: values, legend, title, times."""
INK, GREY, PALE = (40, 40, 46), (130, 130, 138), (225, 225, 230)
COLOURS = (
    (31, 119, 180),
    (230, 120, 10),
    (44, 150, 60),
    (205, 45, 50),
    (130, 90, 190),
    (120, 75, 60),
    (215, 100, 180),
    (110, 115, 120),
    (170, 170, 30),
    (20, 180, 200),
)
_TICKS = 5
_SUBPIXEL = 4
"""Bits of fraction of a line's ends: without them, slow rises look like stairs."""


@dataclass(frozen=True)
class Line:
    """One line of a chart: ``y[i]`` at ``x[i]``, at least one point; thick where it matters most."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    thick: bool = False


@dataclass(frozen=True)
class Times:
    """What is common to the charts below each other: time from 0 to ``last``, in ``unit``."""

    last: float
    unit: str


@dataclass(frozen=True)
class _Axis:
    """Values from ``low`` to ``high`` over the pixels from ``start`` to ``stop``."""

    low: float
    high: float
    start: int
    stop: int

    def pixel(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """About `_TICKS` round values."""
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        first = math.ceil(self.low / step)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def line_chart(title: str, times: Times, lines: Sequence[Line], logarithmic: bool = False) -> Image:
    """uint8 [HEIGHT, WIDTH, 3] RGB. With ``logarithmic``, y is drawn by its logarithm and must be positive."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    scale: Callable[[float], float] = math.log10 if logarithmic else float
    across = _axis([0.0, times.last], LEFT, WIDTH - RIGHT)
    up = _axis([scale(y) for line in lines for y in line.y], HEIGHT - BOTTOM, TOP)
    _draw_grid(image, across, up, logarithmic)
    _text(image, title, (LEFT, TOP - 16), 0.55)
    _text(image, times.unit, (WIDTH - RIGHT + 14, HEIGHT - BOTTOM + 20))
    for number, line in enumerate(lines):
        colour = INK if line.thick else COLOURS[number % len(COLOURS)]
        points = [(across.pixel(x), up.pixel(scale(y))) for x, y in zip(line.x, line.y, strict=True)]
        _draw_line(image, points, colour, 3 if line.thick else 1)
        y = TOP + 8 + 20 * number
        cv2.line(image, (WIDTH - RIGHT + 14, y), (WIDTH - RIGHT + 34, y), colour, 3 if line.thick else 2)
        _text(image, line.name, (WIDTH - RIGHT + 42, y + 5))
    return image


def _axis(values: Sequence[float], start: int, stop: int) -> _Axis:
    low, high = min(values), max(values)
    margin = (high - low) * 0.04 or 0.5
    return _Axis(low - margin, high + margin, start, stop)


def _draw_grid(image: Image, across: _Axis, up: _Axis, logarithmic: bool) -> None:
    for value in up.ticks():
        y = round(up.pixel(value))
        cv2.line(image, (LEFT, y), (WIDTH - RIGHT, y), GREY if value == 0 and not logarithmic else PALE)
        _text(image, f"{10**value if logarithmic else value:.3g}", (8, y + 5))
    for value in across.ticks():
        x = round(across.pixel(value))
        cv2.line(image, (x, TOP), (x, HEIGHT - BOTTOM), PALE)
        _text(image, f"{value:g}", (x - 8, HEIGHT - BOTTOM + 20))


def _draw_line(
    image: Image, points: Sequence[tuple[float, float]], colour: tuple[int, int, int], thickness: int
) -> None:
    fixed = np.round(np.array(points) * 2**_SUBPIXEL).astype(np.int32)
    cv2.polylines(image, [fixed], False, colour, thickness, cv2.LINE_AA, _SUBPIXEL)
    if len(points) < 40:
        for x, y in fixed.tolist():
            cv2.circle(image, (x, y), (thickness + 2) << _SUBPIXEL, colour, -1, cv2.LINE_AA, _SUBPIXEL)


def _text(image: Image, text: str, origin: tuple[int, int], size: float = 0.42) -> None:
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)
