"""The measurement of alignment, through its command and its estimators."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cascade.data.clips import Clip
from cascade.evaluation.alignment import aligned_psnrs, main, network_flow, no_flow, opencv_flow
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import LITE

SHIFT = 6


def _panning() -> np.ndarray:
    """Five frames of a camera that moves ``SHIFT`` pixels to the right per frame."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (192, 128), interpolation=cv2.INTER_CUBIC)
    return np.stack([scene[:, SHIFT * i : SHIFT * i + 160] for i in range(5)])


def _exact(window: np.ndarray) -> np.ndarray:
    flow = np.zeros((2, len(window) - 2, *window.shape[1:3], 2), np.float32)
    flow[0, ..., 0], flow[1, ..., 0] = SHIFT, -SHIFT
    return flow


def test_the_exact_flow_aligns_perfectly_where_it_stays_in_the_frame() -> None:
    video = _panning()
    values = aligned_psnrs(_exact, Clip("pan", video, video))
    assert len(values) == 2 * 3
    assert min(values) > 90


def test_flow_is_estimated_on_the_blurred_frames_and_judged_on_the_sharp_ones() -> None:
    video = _panning()
    seen = []

    def estimate(window: np.ndarray) -> np.ndarray:
        seen.append(window)
        return _exact(window)

    assert min(aligned_psnrs(estimate, Clip("pan", np.zeros_like(video), video))) > 90
    assert not np.concatenate(seen).any()


def test_opencv_aligns_better_than_nothing() -> None:
    video = _panning()
    with_flow, without = (
        np.mean(aligned_psnrs(how, Clip("pan", video, video))) for how in (opencv_flow, no_flow)
    )
    assert with_flow > without + 10


def test_flow_that_leaves_the_frame_everywhere_counts_as_nothing() -> None:
    video = _panning()
    assert aligned_psnrs(lambda window: no_flow(window) + 1000, Clip("pan", video, video)) == [0] * 6


def test_a_network_gives_both_flows_of_every_inner_frame() -> None:
    torch.manual_seed(0)
    cascade, video = Cascade(LITE).eval(), _panning()
    flow = network_flow(cascade)(video[:, :100])
    frames = torch.from_numpy(video[:, :96]).permute(0, 3, 1, 2)[None] / 255
    with torch.no_grad():
        expected = cascade.stage.neighbor_flow(frames).flow[4]
    assert flow.shape == (2, 3, 100, 160, 2)
    np.testing.assert_allclose(
        network_flow(cascade)(video[:, :96])[1, 1], expected.permute(1, 2, 0), atol=1e-4
    )


def _write(folder: Path) -> None:
    for half in ("blur", "gt"):
        (folder / half / "pan").mkdir(parents=True)
        for number, frame in enumerate(_panning()):
            cv2.imwrite(str(folder / half / "pan" / f"{number:05}.png"), frame)


def test_the_command_prints_every_video_and_the_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path)
    checkpoint.save(tmp_path / "lite.pt", Cascade(LITE))
    for model in ("dis", "none", str(tmp_path / "lite.pt")):
        main(["--data", str(tmp_path), "--model", model])
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("|")[1].strip() for line in lines[2:]] == ["pan", "mean"]
        assert lines[2].split("|")[2] == lines[3].split("|")[2]


def test_a_missing_checkpoint_ends_with_a_message(tmp_path: Path) -> None:
    _write(tmp_path)
    with pytest.raises(SystemExit, match=r"alignment: There is no checkpoint"):
        main(["--data", str(tmp_path), "--model", str(tmp_path / "none.pt")])
