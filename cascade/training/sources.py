"""Sources of training samples: blur synthesized on photographs, or pieces of paired recordings.

Sample ``index`` of a source is a function of the seed and the index alone, so that worker processes need no common
state and a resumed training sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cascade.data.clips import read_clip
from cascade.data.folders import PairedVideo, PairingError, read_frames
from cascade.synthesis.synthesize import SynthesisConfig, synthesize
from cascade.training.phase import Phase

Frames = NDArray[np.uint8]

_ORDER, _CHOICE = 1, 2
"""Keep the random numbers for the order of windows and for the choice of a source apart from a sample's own."""


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """N adjacent frames of H x W, blurred and sharp."""

    blurred: Frames
    """uint8 [N, H, W, 3] RGB."""
    sharp: Frames
    """uint8 [N, H, W, 3] RGB."""
    flows: NDArray[np.float32] | None
    """[2, N-2, H, W, 2] in pixels: exact flow from each inner frame to its previous and its next one; None where
    it is not known, as in recordings."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training draws its samples from; either part may be empty if the recipe does not ask for it."""

    photos: Sequence[Frames] = ()
    """uint8 [h, w, 3] RGB, for synthesis."""
    videos: Sequence[PairedVideo] = ()
    """Recordings with blurred and sharp frames: real pairs, or made from high-frame-rate video."""


class Source(Protocol):
    """Makes samples, any number of them."""

    def sample(self, seed: int, index: int) -> TrainingSample:
        """Makes sample number ``index`` (0 or more): the same one for the same arguments, in every process."""
        ...


class SyntheticSource:
    """Synthesizes samples from photographs: without end, and with exact flow."""

    def __init__(self, photos: Sequence[Frames], config: SynthesisConfig) -> None:
        self.photos, self.config = photos, config

    def sample(self, seed: int, index: int) -> TrainingSample:
        made = synthesize(self.photos, self.config, np.random.default_rng((seed, index)))
        flows = np.stack((made.flow_previous[:-1], made.flow_next[1:]))
        return TrainingSample(made.blurred, made.sharp, flows)


class PairedSource:
    """Cuts random squares out of ``frames`` adjacent frames, mirrored and turned by right angles alike in all of them.

    Every run of adjacent frames comes once per epoch of `windows` samples, in an order that differs by epoch.
    """

    def __init__(self, videos: Sequence[PairedVideo], frames: int, crop: int) -> None:
        """Takes crops of ``crop`` pixels. Raises PairingError when no video is long enough or one is too small."""
        self.videos, self.frames, self.crop = videos, frames, crop
        self._starts = [
            (video, start) for video in videos for start in range(max(0, len(video.blurred) - frames + 1))
        ]
        if not self._starts:
            raise PairingError(f"There is no paired video with {frames} frames or more.")
        for video in videos:
            _require_size(video, crop)

    @property
    def windows(self) -> int:
        """The samples of an epoch: runs of adjacent frames in all videos."""
        return len(self._starts)

    def sample(self, seed: int, index: int) -> TrainingSample:
        """Makes a sample. Raises PairingError when its frames cannot be read or differ in size."""
        epoch, position = divmod(index, self.windows)
        order = np.random.default_rng((seed, epoch, _ORDER)).permutation(self.windows)
        video, start = self._starts[order[position]]
        part = slice(start, start + self.frames)
        clip = read_clip(PairedVideo(video.name, video.blurred[part], video.sharp[part]))
        rng = np.random.default_rng((seed, index))
        return TrainingSample(*_cut(clip.blurred, clip.sharp, self.crop, rng), flows=None)


class MixedSource:
    """Draws whole batches from one source each, by share: a batch has flow or has none, never half of each."""

    def __init__(self, parts: Sequence[tuple[Source, float]], batch: int) -> None:
        self.parts, self.batch = parts, batch

    def sample(self, seed: int, index: int) -> TrainingSample:
        rng = np.random.default_rng((seed, index // self.batch, _CHOICE))
        shares = np.array([share for _, share in self.parts])
        source = self.parts[int(rng.choice(len(self.parts), p=shares / shares.sum()))][0]
        return source.sample(seed, index)


def source_for(phase: Phase, data: TrainingData) -> Source:
    """Makes the source that a phase draws its samples from. Raises ValueError where data for it are not given."""
    share = phase.paired_share
    if not 0 <= share <= 1:
        raise ValueError(f"The paired_share of phase {phase.name!r} must be in [0, 1], not {share}.")
    if share > 0 and not data.videos:
        raise ValueError(f"Phase {phase.name!r} trains on paired recordings, and none are given.")
    if share < 1 and not data.photos:
        raise ValueError(f"Phase {phase.name!r} trains on synthetic blur, and no photographs are given.")
    if share == 0:
        return SyntheticSource(data.photos, phase.synthesis())
    paired = PairedSource(data.videos, phase.frames, phase.crop)
    if share == 1:
        return paired
    synthetic = SyntheticSource(data.photos, phase.synthesis())
    return MixedSource([(synthetic, 1 - share), (paired, share)], phase.batch)


def _require_size(video: PairedVideo, crop: int) -> None:
    height, width = read_frames(video.blurred[:1]).shape[1:3]
    if min(height, width) < crop:
        raise PairingError(
            f"The video {video.name!r} is {width}x{height}, smaller than the crop of {crop} pixels."
        )


def _cut(blurred: Frames, sharp: Frames, crop: int, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """Cuts the same square out of both [N, H, W, 3], mirrored and turned alike."""
    y = int(rng.integers(blurred.shape[1] - crop + 1))
    x = int(rng.integers(blurred.shape[2] - crop + 1))
    mirror, turns = bool(rng.random() < 0.5), int(rng.integers(4))

    def cut(frames: Frames) -> Frames:
        piece = frames[:, y : y + crop, x : x + crop]
        return np.ascontiguousarray(np.rot90(piece[:, :, ::-1] if mirror else piece, turns, axes=(1, 2)))

    return cut(blurred), cut(sharp)
