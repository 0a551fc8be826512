"""A clip for demonstrations: a hand-held camera over one still photograph, with its sharp truth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.blur_strength import blur_lengths
from cascade.synthesis.camera.response import make_response
from cascade.synthesis.exposure import expose, render
from cascade.synthesis.layers import Layer
from cascade.synthesis.scene import opaque_texture, seen_region
from cascade.synthesis.trajectory import Spectrum, Trajectory, random_trajectory

FPS = 24.0
EXPOSURE = 0.7
"""Share of the frame interval that the shutter is open."""
BLUR = (4.0, 18.0)
"""Range of the path in the exposure, in pixels, at a frame height of ``REFERENCE_HEIGHT``."""
REFERENCE_HEIGHT = 360
SHARP_SHARE = 0.35
"""Share of the frames that the camera pauses in."""
SWEEP_HZ = (1.0, 2.2)
"""Range of the sweep's frequencies. Slower sweeps go far, and the photograph would have to be enlarged to reach."""
SUBFRAMES = 48
"""Most sub-frames averaged into one frame."""


def render_demo_clip(
    photo: NDArray[np.uint8], frames: int = 24, height: int = 360, width: int = 640, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Renders blurred and sharp frames, each uint8 [frames, height, width, 3] RGB, of ``photo`` uint8 [h, w, 3] RGB.

    Steady and shaking moments alternate, as in a video from the hand. The photograph is scaled, up where it
    must be, so that the camera never sees its border. The same seed gives the same clip.
    """
    size = (height, width)
    camera = _shaking_camera(frames, size, np.random.default_rng(seed))
    low, high = seen_region(camera, size)
    texture, overhang = _scale_to_cover(photo, high - low)
    origin = low - overhang / 2
    response = make_response()
    light = opaque_texture(response.to_light(texture))
    scene = [Layer(light, (float(origin[0]), float(origin[1])), camera)]
    blurred = [expose(scene, time, EXPOSURE, size, SUBFRAMES) for time in range(frames)]
    sharp = [render(scene, time, size) for time in range(frames)]
    return _develop(blurred), _develop(sharp)


def _shaking_camera(frames: int, size: tuple[int, int], rng: np.random.Generator) -> Trajectory:
    low, high = (path * size[0] / REFERENCE_HEIGHT for path in BLUR)
    speeds = blur_lengths(frames, (low, high), SHARP_SHARE, rng) / EXPOSURE
    spectrum = Spectrum(fps=FPS, sweep_share=0.8, sweep_hz=SWEEP_HZ)
    return random_trajectory(speeds, EXPOSURE, spectrum, size, rng)


def _scale_to_cover(
    photo: NDArray[np.uint8], needed: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Scales the photograph so that it covers ``needed`` (width, height); returns it and what it has beyond."""
    height, width = photo.shape[:2]
    factor = float(max((needed[0] + 1) / width, (needed[1] + 1) / height))
    scaled = int(np.ceil(width * factor)), int(np.ceil(height * factor))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LANCZOS4
    texture = np.asarray(cv2.resize(photo, scaled, interpolation=method), np.uint8)
    return texture, np.array(scaled, float) - needed


def _develop(lights: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    response = make_response()
    return np.stack([response.to_levels(light) for light in lights])
