"""From the light of a sample's frames to what its camera records: noise, response, processing, compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.camera.processing import CameraProcessing, random_processing
from cascade.synthesis.camera.response import CameraResponse, add_sensor_noise, compress, random_response
from cascade.synthesis.camera.video_codec import Codec, CodecSettings, ColorMatrix, through_codec

CRF = (16.0, 33.0)
"""Range of the codec's rate factor: from what cameras keep to what messengers send."""
HEVC_SHARE = 0.2
"""Share of the streams that are HEVC: its encoder takes twice as long, and its artifacts are alike."""
PRESETS = {
    Codec.H264: ("superfast", "veryfast", "fast", "medium"),
    Codec.HEVC: ("ultrafast",),
}
"""Encoders in cameras search no further than these."""
INTRA_SHARE = 0.1
"""Share of the streams whose every frame is a key frame, as editors and some cameras write them."""
SHORT_GROUP_SHARE = 0.2
"""Share of the streams with a key frame within the sample or near it: quality jumps there."""
SHORT_GROUP = (2, 9)
"""Range of the distance of their key frames; the end is excluded."""
LONG_GROUP = 250


@dataclass(frozen=True)
class RecordingConfig:
    """What cameras do, as shares of the samples."""

    noise: float
    """Largest standard deviation of the read noise, in linear light; half of the samples have none."""
    processed_share: float
    coded_share: float
    compressed_share: float
    """Share, of the samples that no video codec compresses, whose frames are compressed as JPEG."""
    jpeg_quality: tuple[int, int]


@dataclass(frozen=True)
class Recording:
    """How one sample's light becomes pixels."""

    response: CameraResponse
    shot: float
    """Variance of the shot noise, by light."""
    read: float
    """Standard deviation of the read noise, in linear light."""
    processing: CameraProcessing | None
    compression: CodecSettings | int | None
    """A video codec, the quality of JPEG, or neither."""

    def record(self, lights: Sequence[NDArray[np.float32]], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Turns linear light [H, W, 3] of adjacent frames into uint8 [N, H, W, 3]; ``rng`` draws the noise."""
        frames = [self._develop(light, rng) for light in lights]
        if isinstance(self.compression, CodecSettings):
            return through_codec(np.stack(frames), self.compression)
        if self.compression is not None:
            frames = [compress(frame, self.compression) for frame in frames]
        return np.stack(frames)

    def _develop(self, light: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
        noisy = add_sensor_noise(light, self.shot, self.read, rng) if self.read > 0 else light
        image = self.response.to_levels(noisy)
        return image if self.processing is None else self.processing(image)


def random_recording(config: RecordingConfig, rng: np.random.Generator) -> Recording:
    """Draws the sensor of one sample, and whether its frames are compressed as JPEG."""
    read = rng.uniform(0.0, config.noise) if rng.random() < 0.5 else 0.0
    quality = None
    if rng.random() < config.compressed_share:
        quality = int(rng.integers(config.jpeg_quality[0], config.jpeg_quality[1] + 1))
    response = random_response(rng)
    return Recording(response, read * rng.uniform(0.0, 0.1), read, processing=None, compression=quality)


def with_video_camera(recording: Recording, config: RecordingConfig, rng: np.random.Generator) -> Recording:
    """Draws whether the camera processes its pictures and whether a video codec takes the place of JPEG.

    A share of zero draws nothing, so that what is drawn afterward does not depend on settings that are not used.
    """
    if config.processed_share > 0 and rng.random() < config.processed_share:
        recording = replace(recording, processing=random_processing(rng))
    if config.coded_share > 0 and rng.random() < config.coded_share:
        recording = replace(recording, compression=random_codec(rng))
    return recording


def random_codec(rng: np.random.Generator) -> CodecSettings:
    """Draws the settings of a video codec as cameras, phones and messengers have them."""
    codec = Codec.HEVC if rng.random() < HEVC_SHARE else Codec.H264
    kind = rng.random()
    distance = LONG_GROUP
    if kind < INTRA_SHARE:
        distance = 1
    elif kind < INTRA_SHARE + SHORT_GROUP_SHARE:
        distance = int(rng.integers(*SHORT_GROUP))
    return CodecSettings(
        crf=float(rng.uniform(*CRF)),
        codec=codec,
        preset=str(rng.choice(PRESETS[codec])),
        key_distance=distance,
        matrix=ColorMatrix.BT709 if rng.random() < 0.5 else ColorMatrix.BT601,
    )
