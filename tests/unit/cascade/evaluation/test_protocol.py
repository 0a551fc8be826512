"""What the evaluation measures, and how it averages."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cascade.data.clips import Clip
from cascade.evaluation.protocol import Frames, ProtocolError, evaluate_clip, total
from cascade.evaluation.restorers import Restorer


def _clip(seed: int, frames: int) -> Clip:
    rng = np.random.default_rng(seed)
    sharp = rng.integers(0, 256, (frames, 67, 70, 3), dtype=np.uint8)
    noise = rng.integers(-9 - seed, 10 + seed, sharp.shape)
    return Clip(f"clip{seed}", np.clip(sharp + noise, 0, 255).astype(np.uint8), sharp)


def _unchanged(video: Frames, wanted: range) -> list[Frames]:
    return [video[wanted.start : wanted.stop]]


def _fit(_blurred: Frames, _sharp: Frames, _measured: range) -> Restorer:
    return _unchanged


def test_scores_are_of_the_inner_frames_inside_the_border_of_the_cropped_picture() -> None:
    clip = _clip(0, 9)
    score = evaluate_clip(clip, _fit).score
    pairs = [(clip.sharp[i, 4:60, 4:64], clip.blurred[i, 4:60, 4:64]) for i in range(2, 7)]
    psnr = [peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs]
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    maps = [
        structural_similarity(*pair, data_range=255, channel_axis=2, full=True, **gaussian)[1]
        for pair in pairs
    ]
    assert (score.name, score.frames) == (clip.name, 5)
    assert score.qualities["input"].psnr == pytest.approx(np.mean(psnr))
    assert score.qualities["input"].ssim == pytest.approx(np.mean([m[5:-5, 5:-5].mean() for m in maps]))
    assert score.qualities["restored"] == score.qualities["input"]


def test_totals_weigh_every_frame_alike() -> None:
    scores = [evaluate_clip(clip, _fit).score for clip in (_clip(0, 5), _clip(9, 12))]
    first, second = (score.qualities["input"].psnr for score in scores)
    assert total(scores)["input"].psnr == pytest.approx((first + 8 * second) / 9)
    assert first != pytest.approx(second, abs=1)


def test_the_frames_at_the_ends_count_on_demand() -> None:
    clip = _clip(0, 5)
    assert evaluate_clip(clip, _fit).measured == range(2, 3)
    assert evaluate_clip(clip, _fit, all_frames=True).measured == range(5)


def test_a_video_of_which_nothing_is_measured_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no frame of clip0, whose length is 4"):
        evaluate_clip(_clip(0, 4), _fit)
