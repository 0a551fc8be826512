"""Hand-held video synthesized from photographs: blurred frames, their sharp truth and the exact flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.blur_strength import blur_lengths
from cascade.synthesis.camera import CameraResponse, add_sensor_noise, compress, random_response
from cascade.synthesis.layers import Layer, expose, layer_flow, render
from cascade.synthesis.scene import SceneConfig, random_scene


@dataclass(frozen=True)
class SynthesisConfig:
    """What a sample is like. Lengths are in pixels of the output."""

    frames: int = 5
    height: int = 160
    width: int = 160
    subframes: int = 40
    """Most sub-frames averaged into one frame; short blurs take fewer."""
    blur: tuple[float, float] = (2.0, 28.0)
    """Range of the camera's path during the exposure of a frame that is not sharp."""
    sharp_share: float = 0.22
    """Share of frames that the camera pauses in."""
    exposure: tuple[float, float] = (1 / 3, 1.0)
    """Range of the share of the frame interval that the shutter is open, drawn per sample."""
    displacement: float = 40.0
    """Largest movement of the camera from one frame to the next."""
    layers: int = 3
    """Most foreground layers; each sample has from none to this many."""
    noise: float = 0.01
    """Largest standard deviation of the read noise, in linear light; half of the samples have none."""
    compressed_share: float = 0.5
    """Share of the samples whose blurred frames are compressed as JPEG."""
    jpeg_quality: tuple[int, int] = (70, 100)
    """Range of the JPEG's quality."""


@dataclass(frozen=True, eq=False)
class Sample:
    """N frames of H x W. Flows are (u, v) in pixels; there is none beyond the first and the last frame."""

    blurred: NDArray[np.uint8]
    """[N, H, W, 3] RGB."""
    sharp: NDArray[np.uint8]
    """[N, H, W, 3] RGB: the instant at the middle of each exposure."""
    flow_next: NDArray[np.float32]
    """[N-1, H, W, 2]: content at x of frame i is at x + flow in frame i + 1; on the grid of frame i."""
    flow_previous: NDArray[np.float32]
    """[N-1, H, W, 2]: from frame i + 1 to frame i, on the grid of frame i + 1."""


@dataclass(frozen=True)
class _Sensor:
    """From light to the pixels of one sample."""

    response: CameraResponse
    shot: float
    """Variance of the shot noise, by light."""
    read: float
    """Standard deviation of the read noise, in linear light."""
    quality: int | None
    """Of the JPEG; None compresses nothing."""


def synthesize(
    photos: Sequence[NDArray[np.uint8]], config: SynthesisConfig, rng: np.random.Generator
) -> Sample:
    """Makes one sample from ``photos``, uint8 [h, w, 3] RGB of any sizes.

    The same state of the generator gives the same sample; nothing global is touched. Raises ValueError without
    photographs.
    """
    if not photos:
        raise ValueError("Blur synthesis needs at least one photograph.")
    size = (config.height, config.width)
    exposure = _random_exposure(config, rng)
    blurs = blur_lengths(config.frames, config.blur, config.sharp_share, rng)
    speeds = np.minimum(blurs / exposure, config.displacement)
    sensor = _random_sensor(config, rng)
    scene = SceneConfig(size, config.layers, exposure)
    layers = random_scene(photos, speeds, scene, sensor.response, rng)
    lights = [expose(layers, time, exposure, size, config.subframes) for time in range(config.frames)]
    return Sample(
        blurred=np.stack([_develop(light[..., :3], sensor, rng) for light in lights]),
        sharp=np.stack([_sharp(layers, time, size, sensor.response) for time in range(config.frames)]),
        flow_next=_flows(layers, config.frames, size, forward=True),
        flow_previous=_flows(layers, config.frames, size, forward=False),
    )


def _random_exposure(config: SynthesisConfig, rng: np.random.Generator) -> float:
    """Draws long exposures more often: blur is a matter of dim light, where the shutter stays open."""
    shortest, longest = config.exposure
    return float(shortest + (longest - shortest) * np.sqrt(rng.random()))


def _random_sensor(config: SynthesisConfig, rng: np.random.Generator) -> _Sensor:
    read = rng.uniform(0.0, config.noise) if rng.random() < 0.5 else 0.0
    quality = None
    if rng.random() < config.compressed_share:
        quality = int(rng.integers(config.jpeg_quality[0], config.jpeg_quality[1] + 1))
    return _Sensor(random_response(rng), shot=read * rng.uniform(0.0, 0.1), read=read, quality=quality)


def _develop(light: NDArray[np.float32], sensor: _Sensor, rng: np.random.Generator) -> NDArray[np.uint8]:
    noisy = add_sensor_noise(light, sensor.shot, sensor.read, rng) if sensor.read > 0 else light
    image = sensor.response.to_levels(noisy)
    return image if sensor.quality is None else compress(image, sensor.quality)


def _sharp(
    layers: Sequence[Layer], time: float, size: tuple[int, int], response: CameraResponse
) -> NDArray[np.uint8]:
    return response.to_levels(render(layers, time, size)[..., :3])


def _flows(layers: Sequence[Layer], frames: int, size: tuple[int, int], forward: bool) -> NDArray[np.float32]:
    pairs = [(i, i + 1) if forward else (i + 1, i) for i in range(frames - 1)]
    flows = [layer_flow(layers, start, stop, size) for start, stop in pairs]
    return np.stack(flows) if flows else np.zeros((0, *size, 2), np.float32)
