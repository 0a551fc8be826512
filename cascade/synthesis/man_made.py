"""Pictures of man-made edges: signs and pages of text, facades, railings, checkers, wires."""

from __future__ import annotations

import string
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.dead_leaves import random_texture

Canvas = NDArray[np.uint8]
ELEMENTS = 40
"""Things drawn on one picture."""
OVERSAMPLING = 2
"""Pictures are drawn this much larger with hard edges, and reduced: exact coverage at every edge."""
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
GLYPHS = string.ascii_letters + string.digits + ".,:;!?&%-+/"
GRAIN = 5.0
"""Largest deviation, in levels, of the texture over everything: painted walls are not perfectly even."""


@dataclass(frozen=True)
class _Box:
    x: int
    y: int
    width: int
    height: int


def man_made_picture(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draws a picture uint8 [h, w, 3] RGB of ``size`` (h, w), tilted at random."""
    height, width = (side * OVERSAMPLING for side in size)
    canvas = _wall((height, width), rng)
    painters = (_text, _text, _windows, _stripes, _checkers, _wires, _plates)
    for _ in range(ELEMENTS):
        painter = painters[int(rng.integers(len(painters)))]
        painter(canvas, _random_box((height, width), rng), rng)
    tilted = _tilt(canvas, rng)
    grain = random_texture((height, width), rng)[..., None] * np.float32(rng.uniform(0, GRAIN))
    aged = np.clip(tilted + grain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(aged, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _wall(size: tuple[int, int], rng: np.random.Generator) -> Canvas:
    """Paints a smooth change of color from corner to corner."""
    corners = rng.uniform(30, 225) + rng.uniform(-60, 60, (2, 2, 3)).astype(np.float32)
    corners = np.clip(corners, 0, 255)
    return np.asarray(cv2.resize(corners, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _random_box(size: tuple[int, int], rng: np.random.Generator) -> _Box:
    height, width = (int(side * rng.uniform(0.08, 0.45)) for side in size)
    return _Box(
        int(rng.integers(-width // 3, size[1])), int(rng.integers(-height // 3, size[0])), width, height
    )


def _ink(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draws a color: mostly grayish, sometimes full, as paint on buildings and signs is."""
    gray, hue = float(rng.integers(0, 256)), rng.uniform(0, 255, 3)
    tint = float(rng.beta(0.6, 1.6))
    red, green, blue = (gray + tint * (float(each) - gray) for each in hue)
    return red, green, blue


def _fill(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    cv2.rectangle(canvas, (box.x, box.y), (box.x + box.width, box.y + box.height), _ink(rng), cv2.FILLED)


def _text(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Writes lines of random words on a plate."""
    if rng.random() < 0.7:
        _fill(canvas, box, rng)
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(4.0))))
    thickness = max(1, round(scale * rng.uniform(0.8, 3.0)))
    font, ink, step = FONTS[int(rng.integers(len(FONTS)))], _ink(rng), int(36 * scale)
    for y in range(box.y + step, box.y + box.height + 1, step):
        length = max(2, int(box.width / (20 * scale)))
        line = "".join(rng.choice(list(GLYPHS + "    "), length))
        cv2.putText(canvas, line, (box.x, y), font, scale, ink, thickness, cv2.LINE_AA)


def _windows(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Draws a facade: equal panes in rows and columns."""
    _fill(canvas, box, rng)
    pitch_x, pitch_y = (int(rng.integers(14, 70)) for _ in range(2))
    pane, frame = _ink(rng), _ink(rng)
    for y in range(box.y + 4, box.y + box.height - pitch_y, pitch_y):
        for x in range(box.x + 4, box.x + box.width - pitch_x, pitch_x):
            corner = (x + int(pitch_x * 0.7), y + int(pitch_y * 0.75))
            cv2.rectangle(canvas, (x, y), corner, pane, cv2.FILLED)
            cv2.rectangle(canvas, (x, y), corner, frame, 2)


def _stripes(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Draws stripes of railings, blinds or curbs."""
    ink, pitch = _ink(rng), int(rng.integers(8, 50))
    thick = max(2, int(pitch * rng.uniform(0.15, 0.6)))
    upright = rng.random() < 0.5
    for offset in range(0, box.width if upright else box.height, pitch):
        if upright:
            ends = (box.x + offset, box.y), (box.x + offset + thick, box.y + box.height)
        else:
            ends = (box.x, box.y + offset), (box.x + box.width, box.y + offset + thick)
        cv2.rectangle(canvas, *ends, ink, cv2.FILLED)


def _checkers(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Draws tiles, every other row shifted."""
    _fill(canvas, box, rng)
    tile, ink = int(rng.integers(10, 60)), _ink(rng)
    for row, y in enumerate(range(box.y, box.y + box.height - tile, tile)):
        start = box.x + (tile if row % 2 else 0)
        for x in range(start, box.x + box.width - tile, 2 * tile):
            cv2.rectangle(canvas, (x, y), (x + tile, y + tile), ink, cv2.FILLED)


def _wires(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Draws thin straight lines right across."""
    low, high = (box.x - box.width, box.y - box.height), (box.x + 2 * box.width, box.y + 2 * box.height)
    for _ in range(int(rng.integers(1, 7))):
        start, stop = rng.integers(low, high), rng.integers(low, high)
        first, second = (int(start[0]), int(start[1])), (int(stop[0]), int(stop[1]))
        cv2.line(canvas, first, second, _ink(rng), int(rng.integers(1, 8)), cv2.LINE_AA)


def _plates(canvas: Canvas, box: _Box, rng: np.random.Generator) -> None:
    """Draws a disc with a ring, as of road signs and wheels."""
    center = box.x + box.width // 2, box.y + box.height // 2
    radius = max(6, min(box.width, box.height) // 2)
    cv2.circle(canvas, center, radius, _ink(rng), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(
        canvas, center, int(radius * rng.uniform(0.4, 0.9)), _ink(rng), max(2, radius // 8), cv2.LINE_AA
    )


def _tilt(canvas: Canvas, rng: np.random.Generator) -> Canvas:
    """Tilts half of the pictures, as if they did not quite face the camera."""
    if rng.random() < 0.5:
        return canvas
    height, width = canvas.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.18, 0.18, (4, 2)).astype(np.float32) * np.array(
        [width, height], np.float32
    )
    matrix = cv2.getPerspectiveTransform(corners, moved)
    warped = cv2.warpPerspective(
        canvas, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)
