"""Where training samples come from: synthesised from photographs, or cut out of paired recordings.

Sample ``index`` of a source is a function of the seed and the index alone, so that worker processes need no common
state and a resumed training sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cascade.data.folders import PairedVideo, PairingError, read_frames
from cascade.synthesis.synthesize import SynthesisConfig, synthesize
from cascade.training.recipes import Phase

Frames = NDArray[np.uint8]

_ORDER, _CHOICE = 1, 2
"""Keep the random numbers for the order of windows and for the choice of a source apart from a sample's own."""


@dataclass(frozen=True)
class TrainingSample:
    """N adjacent frames of H x W."""

    blurred: Frames
    """uint8 [N, H, W, 3] RGB."""
    sharp: Frames
    """uint8 [N, H, W, 3] RGB."""
    flows: NDArray[np.float32] | None
    """[2, N-2, H, W, 2] in pixels: exact flow from each inner frame to its previous and its next one; None where
    nobody knows it, as in recordings."""


@dataclass(frozen=True)
class Material:
    """What a training may draw from; either part may be empty if the recipe does not ask for it."""

    photos: Sequence[Frames] = ()
    """uint8 [h, w, 3] RGB, for synthesis."""
    videos: Sequence[PairedVideo] = ()
    """Recordings with blurred and sharp frames: real pairs, or made from high-frame-rate video."""


class Source(Protocol):
    """Makes samples, any number of them."""

    def sample(self, seed: int, index: int) -> TrainingSample:
        """The same sample for the same arguments, ``index`` >= 0, in every process."""
        ...


class SyntheticSource:
    """Photographs moved and blurred: endless, with exact flow."""

    def __init__(self, photos: Sequence[Frames], config: SynthesisConfig) -> None:
        self.photos, self.config = photos, config

    def sample(self, seed: int, index: int) -> TrainingSample:
        made = synthesize(self.photos, self.config, np.random.default_rng((seed, index)))
        flows = np.stack((made.flow_previous[:-1], made.flow_next[1:]))
        return TrainingSample(made.blurred, made.sharp, flows)


class PairedSource:
    """Random square crops of ``frames`` adjacent frames, flipped and turned by right angles alike in all of them.

    Every run of adjacent frames comes once per epoch of `windows` samples, in an order that differs by epoch.
    Raises PairingError when no video is long enough or a video is smaller than the crop.
    """

    def __init__(self, videos: Sequence[PairedVideo], frames: int, crop: int) -> None:
        self.videos, self.frames, self.crop = videos, frames, crop
        self._starts = [
            (video, start) for video in videos for start in range(max(0, len(video.blurred) - frames + 1))
        ]
        if not self._starts:
            raise PairingError(f"no paired video has {frames} frames")
        for video in videos:
            _require_size(video, crop)

    @property
    def windows(self) -> int:
        """Samples per epoch: runs of adjacent frames in all videos."""
        return len(self._starts)

    def sample(self, seed: int, index: int) -> TrainingSample:
        epoch, position = divmod(index, self.windows)
        order = np.random.default_rng((seed, epoch, _ORDER)).permutation(self.windows)
        video, start = self._starts[order[position]]
        part = slice(start, start + self.frames)
        blurred, sharp = read_frames(video.blurred[part]), read_frames(video.sharp[part])
        if blurred.shape != sharp.shape:
            raise PairingError(f"blurred and sharp frames of {video.name!r} differ in size")
        rng = np.random.default_rng((seed, index))
        return TrainingSample(*_cut(blurred, sharp, self.crop, rng), flows=None)


class MixedSource:
    """Whole batches of one source each, drawn by share: with flow or without it, never half of each."""

    def __init__(self, parts: Sequence[tuple[Source, float]], batch: int) -> None:
        self.parts, self.batch = parts, batch

    def sample(self, seed: int, index: int) -> TrainingSample:
        rng = np.random.default_rng((seed, index // self.batch, _CHOICE))
        shares = np.array([share for _, share in self.parts])
        source = self.parts[int(rng.choice(len(self.parts), p=shares / shares.sum()))][0]
        return source.sample(seed, index)


def source_for(phase: Phase, material: Material) -> Source:
    """What a phase draws its samples from. Raises ValueError where the material for it is not given."""
    share = phase.paired_share
    if not 0 <= share <= 1:
        raise ValueError(f"paired_share of phase {phase.name!r} must be in [0, 1], not {share}")
    if share > 0 and not material.videos:
        raise ValueError(f"phase {phase.name!r} trains on paired recordings, and none are given")
    if share < 1 and not material.photos:
        raise ValueError(f"phase {phase.name!r} trains on synthetic blur, and no photographs are given")
    if share == 0:
        return SyntheticSource(material.photos, phase.synthesis())
    paired = PairedSource(material.videos, phase.frames, phase.crop)
    if share == 1:
        return paired
    synthetic = SyntheticSource(material.photos, phase.synthesis())
    return MixedSource([(synthetic, 1 - share), (paired, share)], phase.batch)


def _require_size(video: PairedVideo, crop: int) -> None:
    height, width = read_frames(video.blurred[:1]).shape[1:3]
    if min(height, width) < crop:
        raise PairingError(f"{video.name!r} is {width}x{height}, smaller than the crop of {crop} pixels")


def _cut(blurred: Frames, sharp: Frames, crop: int, rng: np.random.Generator) -> tuple[Frames, Frames]:
    """The same square out of both [N, H, W, 3], mirrored and turned alike."""
    y = int(rng.integers(blurred.shape[1] - crop + 1))
    x = int(rng.integers(blurred.shape[2] - crop + 1))
    mirror, turns = bool(rng.random() < 0.5), int(rng.integers(4))

    def cut(frames: Frames) -> Frames:
        piece = frames[:, y : y + crop, x : x + crop]
        return np.ascontiguousarray(np.rot90(piece[:, :, ::-1] if mirror else piece, turns, axes=(1, 2)))

    return cut(blurred), cut(sharp)
