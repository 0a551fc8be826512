"""Random scenes: one photograph far away, pieces of others in front of it, and how all of it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.camera.response import CameraResponse
from cascade.synthesis.crops import random_crop
from cascade.synthesis.layers import Layer, project
from cascade.synthesis.masks import MARGIN, random_mask
from cascade.synthesis.trajectory import Spectrum, Trajectory, random_trajectory

FPS = (24.0, 60.0)
"""Range of frame rates, which decide how fast a hand trembles from frame to frame."""
LONGEST_HOLD = 0.85
"""Longest share of a frame interval with one speed: even with the shutter always open, the speed must change."""
BORDER = 3
"""Pixels that sampling may reach beyond what the camera sees."""
OBJECT_SIZE = (0.2, 0.7)
"""Sides of foreground objects, as shares of the frame's."""
PARALLAX = 0.5
"""Near layers follow the camera's shift by up to this much more than the background."""
OBJECT_SPEED = 0.8
"""Fastest own motion of an object, as a share of the clip's fastest camera motion, plus one pixel."""
SLANTED_SHARE = 0.6
"""Share of the scenes whose reference plane is slanted, as walls and roads are that come toward the camera."""
SLANT = 0.8
"""Largest slant: at the near corner of the frame the plane shifts by up to this much more than in the middle, and at
the far corner by as much less."""
MOST_GROWTH = 0.6
"""What is near grows and shrinks by at most this share during a clip: at 1 the camera would go through it."""
GAIN = (0.65, 1.5)
"""Range of the change of exposure."""
TINT = 0.08
"""Largest change of one color against the others."""
HIGHLIGHT_SHARE = 0.2
"""Share of the scenes whose brightest spots exceed what the sensor holds: they leave streaks when blurred."""
HIGHLIGHT = 3.0
"""Largest light of the brightest spots beyond white, as a multiple of white."""


@dataclass(frozen=True)
class SceneConfig:
    """What a scene is like."""

    size: tuple[int, int]
    """Height and width of the frames, in pixels."""
    layers: int
    """Most foreground layers."""
    exposure: float
    """Time that the shutter is open, in frame intervals."""
    soft_share: float = 0.0
    """Share of the pieces of photographs that are hardly reduced."""
    color_order: tuple[int, int, int] = (0, 1, 2)
    """Which channel of the photographs is red, green and blue. A codec treats them unlike, so it is drawn before."""


def random_scene(
    photos: Sequence[NDArray[np.uint8]],
    speeds: NDArray[np.float64],
    config: SceneConfig,
    response: CameraResponse,
    rng: np.random.Generator,
) -> list[Layer]:
    """Draws layers, background first. The camera moves at ``speeds`` [N], in pixels per frame interval.

    ``photos`` are uint8 [h, w, 3] RGB, which ``response`` decodes to light.
    """
    spectrum = Spectrum(fps=float(rng.uniform(*FPS)), sweep_share=float(rng.uniform(0.3, 0.95)))
    hold = min(config.exposure, LONGEST_HOLD)
    camera = random_trajectory(speeds, hold, spectrum, config.size, rng)
    if rng.random() < SLANTED_SHARE:
        camera = replace(camera, slant=_random_slant(camera, rng))
    layers = [_background(photos, camera, config, response, rng)]
    for _ in range(int(rng.integers(config.layers + 1))):
        layers.append(_object(photos, camera, speeds, config, response, rng))
    return layers


def _random_slant(camera: Trajectory, rng: np.random.Generator) -> tuple[float, float]:
    reach = float(np.linalg.norm(camera.poses[:, :2], axis=1).max())
    steepest = min(SLANT, MOST_GROWTH * camera.radius / max(reach, 1.0))
    angle, steepness = rng.uniform(0, 2 * np.pi), rng.uniform(0, steepest)
    return float(steepness * np.cos(angle)), float(steepness * np.sin(angle))


def _background(
    photos: Sequence[NDArray[np.uint8]],
    camera: Trajectory,
    config: SceneConfig,
    response: CameraResponse,
    rng: np.random.Generator,
) -> Layer:
    """Makes a layer as large as all that the camera will see of the reference plane."""
    low, high = seen_region(camera, config.size)
    width, height = np.ceil(high - low).astype(int) + 1
    piece = _piece(photos, (int(height), int(width)), config, rng)
    texture = _relit_texture(piece, response, rng)
    return Layer(texture, (float(low[0]), float(low[1])), camera)


def _piece(
    photos: Sequence[NDArray[np.uint8]],
    size: tuple[int, int],
    config: SceneConfig,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    piece = random_crop(photos, size, rng, config.soft_share)
    if config.color_order == (0, 1, 2):
        return piece
    return np.asarray(cv2.merge([piece[..., channel] for channel in config.color_order]), np.uint8)


def opaque_texture(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light [h, w, 3] as a texture [h, w, 4] that covers everything."""
    return np.concatenate([light, np.ones_like(light[..., :1])], axis=-1)


def seen_region(camera: Trajectory, size: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the least and the largest x, y of the reference plane that the frame shows at any time, in pixels."""
    right, bottom = size[1] - 1.0, size[0] - 1.0
    corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]])
    last = camera.times[-1] - 0.5
    seen = project(camera.homographies(np.linspace(-0.5, last, int(8 * (last + 0.5)) + 1)), corners)
    return np.floor(seen.min(axis=(0, 1))) - BORDER, seen.max(axis=(0, 1)) + BORDER


def _object(
    photos: Sequence[NDArray[np.uint8]],
    camera: Trajectory,
    speeds: NDArray[np.float64],
    config: SceneConfig,
    response: CameraResponse,
    rng: np.random.Generator,
) -> Layer:
    height, width = (max(round(side * rng.uniform(*OBJECT_SIZE)), 4 * MARGIN) for side in config.size)
    piece = _piece(photos, (height, width), config, rng)
    cover = random_mask((height, width), rng)
    x, y, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))  # what is empty need not be warped
    shown = slice(y, y + height), slice(x, x + width)
    texture = _relit_texture(piece[shown], response, rng)
    cv2.multiply(texture, cv2.merge([cover[shown]] * 4), dst=texture)
    center = rng.uniform(0.05, 0.95, 2) * np.array(config.size[::-1])
    origin = center - np.array([piece.shape[1], piece.shape[0]]) / 2 + (x, y)
    near = camera.scaled([1 + float(rng.uniform(0, PARALLAX))] * 2 + [1.0] * 4)
    own = _own_motion(speeds, config, (float(center[0]), float(center[1])), rng)
    return Layer(texture, (float(origin[0]), float(origin[1])), near, own)


def _own_motion(
    speeds: NDArray[np.float64], config: SceneConfig, center: tuple[float, float], rng: np.random.Generator
) -> Trajectory:
    """Draws a motion that is steadier than the camera's: things pass by, they do not tremble."""
    fastest = rng.uniform(0, OBJECT_SPEED * float(speeds.max()) + 1.0)
    paces = fastest * rng.uniform(0.6, 1.0, len(speeds))
    spectrum = Spectrum(fps=float(rng.uniform(*FPS)), sweep_share=0.95)
    return replace(random_trajectory(paces, 0.0, spectrum, config.size, rng), center=center)


def _relit_texture(
    piece: NDArray[np.uint8], response: CameraResponse, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Decodes a piece to an opaque texture with another exposure and white balance: float32 [h, w, 4].

    In some scenes the brightest parts go far beyond white.
    """
    gain = rng.uniform(*GAIN) * rng.uniform(1 - TINT, 1 + TINT, 3)
    table = np.ones((256, 1, 4), np.float32)
    table[:, 0, :3] = response.linear[:, None] * gain
    texture = np.asarray(
        cv2.LUT(cv2.cvtColor(np.ascontiguousarray(piece), cv2.COLOR_RGB2RGBA), table), np.float32
    )
    if rng.random() < HIGHLIGHT_SHARE:
        excess = np.maximum(response.linear - 0.8, 0) / 0.2
        brighter = (1 + np.float32(rng.uniform(0, HIGHLIGHT)) * excess).astype(np.float32)
        red, green, blue = cv2.split(piece)
        factor = cv2.LUT(cv2.min(cv2.min(red, green), blue), brighter)
        cv2.multiply(texture, cv2.merge([factor, factor, factor, np.ones_like(factor)]), dst=texture)
    return texture
