"""Restorers: every one takes a whole video and gives back the frames that were asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cascade.evaluation.restorers import load, pytorch_restorer
from cascade.evaluation.windows import windows
from cascade.network.cascade import Cascade
from cascade.network.config import LITE


def _video(frames: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, 64, 68, 3), dtype=np.uint8)


def _lively(stages: int) -> Cascade:
    """A cascade whose output depends on all of its input: untrained, the light one passes the center through."""
    torch.manual_seed(0)
    cascade = Cascade(replace(LITE, stages=stages)).eval()
    torch.nn.init.normal_(cascade.stage.restoration.body.leave[-1].weight, std=0.02)
    return cascade


def test_windows_hold_the_wanted_frames_and_their_context() -> None:
    video = np.arange(20).reshape(20, 1, 1, 1)
    numbers = [window.ravel().tolist() for window in windows(video, range(3, 13), 2)]
    assert numbers == [list(range(1, 13)), list(range(9, 15))]


def test_context_beyond_the_ends_is_mirrored() -> None:
    video = np.arange(4).reshape(4, 1, 1, 1)
    assert [window.ravel().tolist() for window in windows(video, range(4), 2)] == [[2, 1, 0, 1, 2, 3, 2, 1]]


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_every_stage_shows_the_same_frames(stages: int) -> None:
    cascade, video = _lively(stages), _video(9)
    shown = pytorch_restorer(cascade)(video, range(3, 6))
    assert [frames.shape for frames in shown] == [(3, 64, 68, 3)] * stages
    first_alone = pytorch_restorer(_lively(1))(video, range(3, 6))[0]
    np.testing.assert_allclose(shown[0].astype(int), first_alone, atol=1)
    assert len({frames.tobytes() for frames in shown}) == stages


def test_how_a_video_is_cut_into_windows_does_not_show() -> None:
    restore, video = pytorch_restorer(_lively(2)), _video(14)
    whole = restore(video, range(2, 12))[-1]
    alone = restore(video, range(10, 11))[-1]
    np.testing.assert_allclose(whole[8].astype(int), alone[0], atol=1)


@pytest.mark.parametrize("name", ["burst", "unsharp"])
def test_the_baselines_have_names_and_no_network(name: str, tmp_path: Path) -> None:
    model = load(name, tmp_path)
    video = _video(5)
    (frames,) = model.fit(video, video, range(2, 3))(video, range(2, 3))
    assert model.cascade is None
    assert (frames.shape, frames.dtype) == ((1, 64, 68, 3), np.uint8)


def test_what_is_neither_name_nor_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"(?i)no checkpoint"):
        load("nothing", tmp_path)
