from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from cascade.cascade import Cascade
from cascade.config import LITE
from cascade.evaluate import Frames, as_json, evaluate_video, pytorch_restorer, total


def _clip(seed: int, frames: int) -> tuple[Frames, Frames]:
    rng = np.random.default_rng(seed)
    sharp = rng.integers(0, 256, (frames, 67, 70, 3), dtype=np.uint8)
    noise = rng.integers(-9, 10, sharp.shape)
    return np.clip(sharp + noise, 0, 255).astype(np.uint8), sharp


def _unchanged(window: Frames) -> list[Frames]:
    return [window[2:-2]]


def test_scores_are_of_the_inner_frames_inside_the_border_of_the_cropped_picture() -> None:
    blurred, sharp = _clip(0, 14)
    score = evaluate_video("clip", blurred, sharp, _unchanged)
    expected = [
        peak_signal_noise_ratio(sharp[i, 4:60, 4:64], blurred[i, 4:60, 4:64], data_range=255)
        for i in range(2, 12)
    ]
    assert score.frames == 10
    assert score.qualities["input"].psnr == pytest.approx(np.mean(expected))
    assert score.qualities["restored"] == score.qualities["input"]


def test_totals_weigh_every_frame_alike() -> None:
    clips = [_clip(0, 5), _clip(1, 12)]
    scores = [evaluate_video(str(i), blurred, sharp, _unchanged) for i, (blurred, sharp) in enumerate(clips)]
    first, second = (score.qualities["input"].psnr for score in scores)
    assert total(scores)["input"].psnr == pytest.approx((first + 8 * second) / 9)


def test_pytorch_shows_both_stages_for_the_same_frames() -> None:
    torch.manual_seed(0)
    blurred, sharp = _clip(0, 6)
    score = evaluate_video("clip", blurred, sharp, pytorch_restorer(Cascade(LITE).eval()))
    stored = json.loads(as_json([score]))
    assert set(stored["videos"][0]) == {"name", "frames", "seconds_per_frame", "input", "stage1", "restored"}
    assert set(stored["total"]) == {"input", "stage1", "restored"}
    assert stored["total"]["stage1"]["psnr"] > 15  # an untrained light network passes the centre through
