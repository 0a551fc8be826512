"""Hand-held video synthesized from photographs: blurred frames, their sharp truth and the exact flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.blur_strength import blur_lengths
from cascade.synthesis.camera.recording import RecordingConfig, random_recording, with_video_camera
from cascade.synthesis.exact_flow import exact_flows
from cascade.synthesis.exposure import expose_frames, render_frames
from cascade.synthesis.layers import place
from cascade.synthesis.scene import SceneConfig, random_scene

LARGE_BLUR = 64.0
"""Longest path in the exposure, in pixels, of the samples with large motion: that of hand-held video at native 720p."""
LARGE_DISPLACEMENT = 96.0
"""Largest movement of the camera from frame to frame, in pixels, of those samples."""
LARGE_SUBFRAMES = 56
"""Most sub-frames averaged into one frame of those samples: as dense as shorter blurs have them."""


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
    coded_share: float = 0.0
    """Share of the samples whose blurred frames go through a video codec as one stream; the others may be JPEG."""
    processed_share: float = 0.0
    """Share of the samples whose camera removes noise and sharpens."""
    large_motion_share: float = 0.0
    """Share of the samples with motion as in large frames: blur up to 64 and displacement up to 96 pixels."""
    soft_share: float = 0.0
    """Share of the pieces of photographs that are hardly reduced, and therefore soft as large frames are."""
    color_order_share: float = 0.0
    """Share of the samples whose red, green and blue change places, before any codec."""

    def __post_init__(self) -> None:
        for share in (field.name for field in fields(self) if field.name.endswith("_share")):
            if not 0 <= getattr(self, share) <= 1:
                raise ValueError(f"The {share} must be in [0, 1], not {getattr(self, share)}.")

    @property
    def recording(self) -> RecordingConfig:
        """The part that happens inside of the camera."""
        return RecordingConfig(
            self.noise, self.processed_share, self.coded_share, self.compressed_share, self.jpeg_quality
        )


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


def synthesize(
    photos: Sequence[NDArray[np.uint8]], config: SynthesisConfig, rng: np.random.Generator
) -> Sample:
    """Makes one sample from ``photos``, uint8 [h, w, 3] RGB of any sizes.

    The same state of the generator gives the same sample; nothing global is touched. Raises ValueError without
    photographs.
    """
    if not photos:
        raise ValueError("Blur synthesis needs at least one photograph.")
    config = _with_motion(config, rng)
    size = (config.height, config.width)
    exposure = _random_exposure(config, rng)
    blurs = blur_lengths(config.frames, config.blur, config.sharp_share, rng)
    speeds = np.minimum(blurs / exposure, config.displacement)
    recording = random_recording(config.recording, rng)
    scene = SceneConfig(size, config.layers, exposure, config.soft_share, _color_order(config, rng))
    layers = random_scene(photos, speeds, scene, recording.response, rng)
    recording = with_video_camera(recording, config.recording, rng)
    times = np.arange(config.frames, dtype=np.float64)
    lights = expose_frames(layers, times, exposure, size, config.subframes)
    instants = place(layers, times, size)
    flow_next, flow_previous = exact_flows(instants)
    return Sample(
        blurred=recording.record(lights, rng),
        sharp=np.stack([recording.response.to_levels(light) for light in render_frames(instants)]),
        flow_next=flow_next,
        flow_previous=flow_previous,
    )


def _random_exposure(config: SynthesisConfig, rng: np.random.Generator) -> float:
    """Draws long exposures more often: blur is a matter of dim light, where the shutter stays open."""
    shortest, longest = config.exposure
    return float(shortest + (longest - shortest) * np.sqrt(rng.random()))


def _with_motion(config: SynthesisConfig, rng: np.random.Generator) -> SynthesisConfig:
    """Widens the ranges of blur and motion in the share of the samples that has large motion."""
    if not config.large_motion_share or rng.random() >= config.large_motion_share:
        return config
    return replace(
        config,
        blur=(config.blur[0], max(config.blur[1], LARGE_BLUR)),
        displacement=max(config.displacement, LARGE_DISPLACEMENT),
        subframes=max(config.subframes, LARGE_SUBFRAMES),
    )


def _color_order(config: SynthesisConfig, rng: np.random.Generator) -> tuple[int, int, int]:
    if not config.color_order_share or rng.random() >= config.color_order_share:
        return 0, 1, 2
    first, second, third = rng.permutation(3).tolist()
    return first, second, third
