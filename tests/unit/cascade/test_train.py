"""Training on a few tiny samples: it learns, and it goes on exactly where it stopped."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cascade import checkpoint, losses
from cascade.recipes import LITE_CPU, Phase, Recipe
from cascade.train import Options, Trainer, learning_rate

_FLOW = Phase(
    "flow", 3, batch=1, frames=3, crop=64, rate=1e-3, final_rate=1e-4, train_restoration=False, warmup=1
)
_CASCADE = dataclasses.replace(_FLOW, name="cascade", frames=5, train_restoration=True, hard_examples=2.0)
_RECIPE = dataclasses.replace(LITE_CPU, phases=(_FLOW, _CASCADE), bfloat16=False)


@pytest.fixture(scope="module")
def photos() -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)]


def _trainer(photos: list[NDArray[np.uint8]], output: Path, recipe: Recipe = _RECIPE) -> Trainer:
    torch.manual_seed(0)
    options = Options(output=output, seed=0, workers=0, save_seconds=1e9, validate_seconds=1e9)
    return Trainer(recipe, photos, options)


def test_a_resumed_training_is_bit_for_bit_the_uninterrupted_one(
    photos: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    whole = _trainer(photos, tmp_path / "whole")
    whole.run()

    interrupted = _trainer(photos, tmp_path / "interrupted")
    steps = 0
    step = interrupted.step

    def stop_after_five(*arguments: object) -> dict[str, float]:
        nonlocal steps
        steps += 1
        interrupted.stopping = steps == 5
        return step(*arguments)  # type: ignore[arg-type]

    interrupted.step = stop_after_five  # type: ignore[method-assign, assignment]
    interrupted.run()
    assert interrupted.progress.phase == 1
    assert interrupted.progress.step == 2
    resumed = _trainer(photos, tmp_path / "interrupted")
    torch.manual_seed(99)  # the generator's state comes from the checkpoint
    resumed.resume()
    resumed.run()

    for name, tensor in whole.cascade.state_dict().items():
        assert torch.equal(tensor, resumed.cascade.state_dict()[name]), name
    averaged = checkpoint.load(tmp_path / "interrupted" / "weights.pt").state_dict()
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(tensor, averaged[name]), name


def test_gradient_descent_lowers_the_flow_error(photos: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    trainer = _trainer(photos, tmp_path)
    batch = next(trainer._batches(_FLOW))
    errors = []
    for _ in range(12):
        trainer.progress.step = 1
        errors.append(trainer.step(_FLOW, batch)["flow"])
    assert errors[-1] < 0.9 * errors[0]


def test_the_learning_rate_warms_up_and_falls_to_its_end() -> None:
    phase = dataclasses.replace(_FLOW, steps=1000, warmup=100)
    rates = [learning_rate(phase, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) == pytest.approx(1e-3)
    assert rates[1000] == pytest.approx(1e-4)


def test_the_hard_example_loss_looks_at_the_worst_half() -> None:
    torch.manual_seed(0)
    truth = torch.zeros(1, 1, 3, 10, 10)
    restored = truth.clone()
    restored[..., :4, :] = 1.0  # 40 of 100 pixels are wrong, by 1 in each channel
    assert losses.hard_example_l1(restored, truth).item() == pytest.approx(0.4)
    assert losses.l1(restored, truth).item() == pytest.approx(0.4)


def test_levels_of_a_perfect_flow_have_no_error() -> None:
    truth = torch.tensor([3.0, -1.0]).view(1, 2, 1, 1).expand(2, 2, 32, 32)
    levels = [truth[..., :8, :8], truth[..., :16, :16]]
    assert losses.multi_scale_end_point_error(levels, truth).item() < 2e-3
