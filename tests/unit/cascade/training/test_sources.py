"""Samples by seed and index: out of paired folders, synthetic, and mixed."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from cascade.data.folders import PairedVideo, PairingError, find_videos
from cascade.training.phase import Phase
from cascade.training.samples import Samples, batch_loader, collate
from cascade.training.sources import (
    MixedSource,
    PairedSource,
    Source,
    TrainingData,
    TrainingSample,
    source_for,
)

_PHASE = Phase("cascade", 4, batch=2, frames=5, crop=64, rate=1e-3, final_rate=1e-4)
_PHOTOS = [np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[PairedVideo]:
    """DVD's layout, 80x96: red counts frames (+100 in the sharp half), green and blue are row and column."""
    root = tmp_path_factory.mktemp("pairs")
    rows, columns = np.mgrid[:80, :96].astype(np.uint8)
    for name, frames in (("a", 7), ("b", 6)):
        for half, level in (("input", 0), ("GT", 100)):
            (root / name / half).mkdir(parents=True)
            for index in range(frames):
                picture = np.stack((columns, rows, np.full_like(rows, level + index)), axis=-1)
                cv2.imwrite(str(root / name / half / f"{index:05}.png"), picture)
    return find_videos(root)


def test_a_pair_is_cut_turned_and_mirrored_alike_in_every_frame(videos: list[PairedVideo]) -> None:
    source = PairedSource(videos, frames=5, crop=64)
    orientations = set()
    for index in range(60):
        sample = source.sample(3, index)
        assert sample.flows is None
        assert sample.blurred.shape == sample.sharp.shape == (5, 64, 64, 3)
        first = int(sample.blurred[0, 0, 0, 0])
        for number, (blurred, sharp) in enumerate(zip(sample.blurred, sample.sharp, strict=True)):
            assert (blurred[..., 0] == first + number).all()
            assert (sharp[..., 0] == first + number + 100).all()
            assert (blurred[..., 1:] == sample.blurred[0, ..., 1:]).all()
            assert (sharp[..., 1:] == blurred[..., 1:]).all()
        down, across = (sample.blurred[0, :, :, 1:].astype(int)[ends] for ends in ((1, 0), (0, 1)))
        orientations.add((*(down - sample.blurred[0, 0, 0, 1:]), *(across - sample.blurred[0, 0, 0, 1:])))
    assert len(orientations) == 8  # four turns, mirrored or not


def test_an_epoch_shows_every_run_of_frames_once_and_the_next_in_another_order(
    videos: list[PairedVideo],
) -> None:
    source = PairedSource(videos, frames=5, crop=64)
    assert source.windows == 3 + 2
    epochs = [[int(source.sample(0, 5 * e + i).blurred[0, 0, 0, 0]) for i in range(5)] for e in range(6)]
    assert all(sorted(epoch) == [0, 0, 1, 1, 2] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_sample_is_a_function_of_seed_and_index(videos: list[PairedVideo]) -> None:
    data = TrainingData(_PHOTOS, videos)
    source = source_for(dataclasses.replace(_PHASE, paired_share=0.5), data)
    again = source_for(dataclasses.replace(_PHASE, paired_share=0.5), data)
    for index in (9, 2):
        assert np.array_equal(source.sample(1, index).blurred, again.sample(1, index).blurred)
    assert not np.array_equal(source.sample(1, 2).blurred, source.sample(2, 2).blurred)


def test_a_mixture_gives_whole_batches_by_share() -> None:
    class Constant:
        def __init__(self, level: int) -> None:
            self.frames = np.full((1, 1, 1, 3), level, np.uint8)

        def sample(self, seed: int, index: int) -> TrainingSample:
            del seed, index
            return TrainingSample(self.frames, self.frames, None)

    parts: list[tuple[Source, float]] = [(Constant(1), 0.75), (Constant(0), 0.25)]
    mixed = MixedSource(parts, batch=4)
    levels = np.array([mixed.sample(0, index).blurred.max() for index in range(1600)]).reshape(400, 4)
    assert (levels == levels[:, :1]).all()
    assert levels[:, 0].mean() == pytest.approx(0.75, abs=0.06)


def test_only_synthetic_batches_have_exact_flow(videos: list[PairedVideo]) -> None:
    synthetic = source_for(_PHASE, TrainingData(photos=_PHOTOS))
    paired = source_for(dataclasses.replace(_PHASE, paired_share=1.0), TrainingData(videos=videos))
    batch = collate([synthetic.sample(0, 0), synthetic.sample(0, 1)])
    assert batch.flows is not None
    assert batch.flows.shape == (2, 2, 3, 2, 64, 64)
    assert collate([paired.sample(0, 0)]).flows is None


def test_worker_processes_give_the_same_batches_in_order(videos: list[PairedVideo]) -> None:
    source = source_for(dataclasses.replace(_PHASE, paired_share=1.0), TrainingData(videos=videos))
    here, there = (batch_loader(Samples(source, 0, start=4, count=6), 2, workers) for workers in (0, 2))
    for mine, theirs in zip(here, there, strict=True):
        assert mine.blurred.equal(theirs.blurred)
        assert mine.sharp.equal(theirs.sharp)


def test_what_cannot_be_drawn_from_is_said_at_once(videos: list[PairedVideo]) -> None:
    with pytest.raises(ValueError, match="no photographs"):
        source_for(_PHASE, TrainingData(videos=videos))
    with pytest.raises(ValueError, match="paired recordings"):
        source_for(dataclasses.replace(_PHASE, paired_share=0.5), TrainingData(photos=_PHOTOS))
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        source_for(dataclasses.replace(_PHASE, paired_share=2.0), TrainingData(_PHOTOS, videos))
    with pytest.raises(PairingError, match="no paired video with 9 frames"):
        PairedSource(videos, frames=9, crop=64)
    with pytest.raises(PairingError, match="96x80, smaller than the crop of 128"):
        PairedSource(videos, frames=5, crop=128)
