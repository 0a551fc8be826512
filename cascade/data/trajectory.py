"""How a hand-held camera, or a thing in front of it, moves: a smooth random path at a varying speed.

Times are in frame intervals: frame ``i`` is exposed around time ``i``. A path is closed-form (a sum of
sinusoids: a slow sweep plus the tremor of a hand), so it stays within bounds however long the clip is, and
its speed is prescribed frame by frame, so a pause is a sharp frame and every frame's blur is controlled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Matrices = NDArray[np.float64]

STEPS_PER_FRAME = 48
SWEEP_HZ = (0.3, 1.6)
TREMOR_HZ = (2.0, 12.0)
"""Physiological tremor of a hand that holds a camera."""
CHANNELS = 6
"""Translation x, y, rotation, zoom, perspective x, y: each in pixels moved at the frame's corner."""
CHANNEL_WEIGHTS = (1.0, 1.0, 0.35, 0.2, 0.08, 0.08)
"""Typical share of each channel: hands shift and tilt far more than they roll or step forward."""
DWELL = 0.3
"""Where the path turns it slows down, as a real hand does; 0 would keep the speed through every corner."""


@dataclass(frozen=True)
class Spectrum:
    """Which frequencies the path holds. ``sweep_share`` is the share of the speed that the slow sweep has."""

    fps: float
    sweep_share: float
    sweep_hz: tuple[float, float] = SWEEP_HZ
    tremor_hz: tuple[float, float] = TREMOR_HZ


@dataclass(frozen=True)
class Trajectory:
    """Poses on a fine time grid: ``times`` float64 [K], ``poses`` float64 [K, 6] in pixels (see CHANNELS)."""

    times: NDArray[np.float64]
    poses: NDArray[np.float64]
    centre: tuple[float, float]
    radius: float
    slant: tuple[float, float] = (0.0, 0.0)
    """How much more than in the middle the reference plane shifts at ``radius`` to the right and below: its inverse
    depth, relative to the middle's, is 1 + slant . (x, y) / radius."""

    def homographies(self, times: NDArray[np.float64]) -> Matrices:
        """Matrices [len(times), 3, 3] that take output pixels (x, y, 1) at a time to the reference plane."""
        pose = np.stack([np.interp(times, self.times, channel) for channel in self.poses.T], axis=1)
        return homographies(pose, self.centre, self.radius, self.slant)

    def scaled(self, factors: Sequence[float]) -> Trajectory:
        """The same path with each of the six channels multiplied by its factor (parallax, for one)."""
        return replace(self, poses=self.poses * np.asarray(factors))


def homographies(
    pose: NDArray[np.float64], centre: tuple[float, float], radius: float, slant: tuple[float, float]
) -> Matrices:
    """Matrices [n, 3, 3] of poses [n, 6] in pixels; rotation, zoom and perspective act about ``centre``.

    A camera that shifts by t before a plane of normal n sees it move by the homography I + t n^T.
    """
    angle, zoom = pose[:, 2] / radius, np.exp(pose[:, 3] / radius)
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    middle = np.zeros((len(pose), 3, 3))
    middle[:, 0, 0], middle[:, 0, 1], middle[:, 0, 2] = cosine, -sine, pose[:, 0]
    middle[:, 1, 0], middle[:, 1, 1], middle[:, 1, 2] = sine, cosine, pose[:, 1]
    middle[:, :2, :2] += pose[:, :2, None] * (np.asarray(slant) / radius)
    middle[:, 2, :2] = pose[:, 4:6] / radius**2
    middle[:, 2, 2] = 1.0
    to_centre, back = np.eye(3), np.eye(3)
    to_centre[:2, 2] = -centre[0], -centre[1]
    back[:2, 2] = centre
    return np.asarray(back @ middle @ to_centre)


def random_trajectory(
    speeds: NDArray[np.float64],
    hold: float,
    spectrum: Spectrum,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Trajectory:
    """A path for ``len(speeds)`` frames of ``size`` (height, width).

    ``speeds`` [N] are pixels per frame interval at each frame's middle, kept for ``hold`` of the interval
    (0 <= hold < 1) and blended in between. The middle frame's pose is the identity, exactly.
    """
    frames = len(speeds)
    times = np.linspace(-1.0, frames, (frames + 1) * STEPS_PER_FRAME + 1)
    travelled = _integrate(speed_profile(speeds, hold, times), times)
    poses = _along_path(travelled, float(np.mean(speeds)), spectrum, rng)
    middle = [np.interp((frames - 1) / 2, times, channel) for channel in poses.T]
    height, width = size
    centre = ((width - 1) / 2, (height - 1) / 2)
    return Trajectory(times, poses - np.array(middle), centre, float(np.hypot(height, width)) / 2)


def speed_profile(
    speeds: NDArray[np.float64], hold: float, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The speed at each time: flat around each frame, a half cosine between neighbours."""
    clipped = np.clip(times, 0, len(speeds) - 1)
    before = np.minimum(np.floor(clipped).astype(int), max(len(speeds) - 2, 0))
    after = np.minimum(before + 1, len(speeds) - 1)
    ramp = np.clip((clipped - before - hold / 2) / (1 - hold), 0, 1)
    blend = (1 - np.cos(np.pi * ramp)) / 2
    return np.asarray(speeds[before] * (1 - blend) + speeds[after] * blend)


def _integrate(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = (values[1:] + values[:-1]) / 2 * np.diff(times)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _along_path(
    travelled: NDArray[np.float64], mean_speed: float, spectrum: Spectrum, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Poses [K, 6] after the distances ``travelled`` [K] along a random path."""
    speed = max(mean_speed, 1e-3)
    duration = 2.0 * travelled[-1] / speed + 1.0
    path_time = np.linspace(0.0, duration, int(duration * STEPS_PER_FRAME) + 2)
    position, velocity = _random_path(path_time, spectrum, rng)
    position, velocity = position * speed, velocity * speed
    rate = np.sqrt(np.sum(velocity**2, axis=1) + (DWELL * speed) ** 2)
    length = _integrate(rate, path_time)
    return np.stack([np.interp(travelled, length, channel) for channel in position.T], axis=1)


def _random_path(
    times: NDArray[np.float64], spectrum: Spectrum, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position and velocity [K, 6] of unit mean square speed, as a function of time."""
    weights = np.array(CHANNEL_WEIGHTS) * rng.uniform(0.2, 1.0, CHANNELS)
    weights /= np.sqrt(np.sum(weights**2))
    position = np.zeros((len(times), CHANNELS))
    velocity = np.zeros_like(position)
    share = spectrum.sweep_share
    for band, part, count in ((spectrum.sweep_hz, share, 2), (spectrum.tremor_hz, 1 - share, 4)):
        omega = (
            2
            * np.pi
            / spectrum.fps
            * np.exp(rng.uniform(np.log(band[0]), np.log(band[1]), (count, CHANNELS)))
        )
        phase = rng.uniform(0, 2 * np.pi, (count, CHANNELS))
        strength = weights * np.sqrt(2 * part / count)
        angle = times[:, None, None] * omega + phase
        velocity += strength * np.cos(angle).sum(axis=1)
        position += strength * (np.sin(angle) / omega).sum(axis=1)
    return position, velocity
