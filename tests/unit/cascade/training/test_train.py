"""Training on a few tiny samples: it learns, and it goes on exactly where it stopped."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cascade.data.clips import Clip
from cascade.network import checkpoint
from cascade.training.errors import TrainingError
from cascade.training.objective import loss_terms
from cascade.training.phase import Phase
from cascade.training.recipes import LITE_CPU, PAPER, Recipe
from cascade.training.samples import Batch, collate
from cascade.training.sources import TrainingData, TrainingSample
from cascade.training.trainer import Trainer, TrainerOptions
from tests.support.parity import released_state

_FLOW = Phase(
    "flow", 3, batch=1, frames=3, crop=64, rate=1e-3, final_rate=1e-4, train_restoration=False, warmup=1
)
_CASCADE = dataclasses.replace(_FLOW, name="cascade", frames=5, train_restoration=True, hard_examples=2.0)
_RECIPE = dataclasses.replace(LITE_CPU, phases=(_FLOW, _CASCADE), bfloat16=False)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    rng = np.random.default_rng(0)
    return TrainingData(photos=[rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)])


def _trainer(data: TrainingData, output: Path, recipe: Recipe = _RECIPE, seed: int = 0) -> Trainer:
    torch.manual_seed(0)
    options = TrainerOptions(output=output, seed=seed, workers=0, save_seconds=1e9, validate_seconds=1e9)
    return Trainer(recipe, data, options)


def _stop_after(trainer: Trainer, steps: int) -> None:
    step, done = trainer.step, 0

    def counted(phase: Phase, batch: Batch) -> dict[str, float]:
        nonlocal done
        done += 1
        trainer.stopping = done == steps
        return step(phase, batch)

    trainer.step = counted  # type: ignore[method-assign]


def _recording(side: int = 64) -> Batch:
    """A batch as paired folders give it: without exact flow."""
    frames = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), dtype=np.uint8)
    return collate([TrainingSample(frames, frames[::-1].copy(), None)])


def _records(output: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def test_a_resumed_training_is_bit_for_bit_the_uninterrupted_one(data: TrainingData, tmp_path: Path) -> None:
    whole = _trainer(data, tmp_path / "whole")
    whole.run()

    interrupted = _trainer(data, tmp_path / "interrupted")
    _stop_after(interrupted, 5)
    interrupted.run()
    assert interrupted.state.progress.phase == 1
    assert interrupted.state.progress.step == 2
    resumed = _trainer(data, tmp_path / "interrupted")
    torch.manual_seed(99)  # the generator's state comes from the checkpoint
    resumed.resume()
    resumed.run()

    for name, tensor in whole.state.cascade.state_dict().items():
        assert torch.equal(tensor, resumed.state.cascade.state_dict()[name]), name
    averaged = checkpoint.load(tmp_path / "interrupted" / "weights.pt").state_dict()
    for name, tensor in whole.state.averaged.state_dict().items():
        assert torch.equal(tensor, averaged[name]), name


def test_a_checkpoint_of_another_training_is_refused(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    trainer.save()
    with pytest.raises(TrainingError, match="seed 0, not 7"):
        _trainer(data, tmp_path, seed=7).resume()
    with pytest.raises(TrainingError, match="recipe 'lite-cpu', not 'other'"):
        _trainer(data, tmp_path, dataclasses.replace(_RECIPE, name="other")).resume()
    with pytest.raises(TrainingError, match=r"another network.*stages=2.*not.*stages=1"):
        _trainer(data, tmp_path, dataclasses.replace(_RECIPE, stages=1)).resume()
    (tmp_path / "checkpoint.pt").write_bytes((tmp_path / "weights.pt").read_bytes())
    with pytest.raises(TrainingError, match="weights only"):
        _trainer(data, tmp_path).resume()


def test_gradient_descent_lowers_the_flow_error(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    batch = next(trainer.batches(_FLOW))
    errors = []
    for _ in range(12):
        trainer.state.progress.step = 1
        errors.append(trainer.step(_FLOW, batch)["flow"])
    assert errors[-1] < 0.9 * errors[0]


def test_the_log_tells_speed_waiting_losses_and_rate(data: TrainingData, tmp_path: Path) -> None:
    _trainer(data, tmp_path).run()
    flow, cascade = _records(tmp_path)
    assert (flow["phase"], flow["step"], cascade["phase"]) == ("flow", 3, "cascade")
    assert flow["samples_per_s"] > 0
    assert 0 < flow["waiting"] < 1
    assert flow["rate"] == pytest.approx(5.5e-4)  # half-way from 1e-3 to 1e-4
    assert {"stage1", "hard1", "flow1", "stage2", "hard2", "flow2"} < cascade.keys()
    assert cascade["seconds"] > flow["seconds"] > 0


def test_a_validation_draws_blurred_restored_and_true_frames(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path, dataclasses.replace(_RECIPE, phases=(_FLOW,)))
    blurred, sharp = np.full((5, 64, 80, 3), 90, np.uint8), np.full((5, 64, 80, 3), 200, np.uint8)
    trainer.clips = [
        Clip("synthetic_00", blurred, sharp, synthetic=True),
        Clip("recorded", blurred, sharp),
    ]
    trainer.run()
    picture = cv2.imread(str(tmp_path / "validation_0000003.png"))
    assert picture is not None
    left, middle, right = (picture[10, at : at + 80].mean() for at in (0, 324, 648))
    assert (left, right) == (90, 200)
    assert middle == pytest.approx(90, abs=15)  # a network that is young passes its input on
    record = _records(tmp_path)[-1]
    assert {"gain_recorded", "gain_synthetic", "alignment_db"} < record.keys()


def test_a_gradient_that_is_not_finite_changes_nothing_and_is_logged(
    data: TrainingData, tmp_path: Path
) -> None:
    trainer = _trainer(data, tmp_path)
    good = next(trainer.batches(_FLOW))
    assert good.flows is not None
    broken = dataclasses.replace(good, flows=torch.full_like(good.flows, torch.nan))
    before = {name: tensor.clone() for name, tensor in trainer.state.cascade.state_dict().items()}
    trainer.step(_FLOW, broken)
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in trainer.state.cascade.state_dict().items()
    )
    assert trainer.state.progress.skipped == 1
    assert _records(tmp_path)[-1]["skipped"] is True
    trainer.step(_FLOW, good)
    assert trainer.state.progress.skipped == 1
    for _ in range(49):
        trainer.step(_FLOW, broken)
    with pytest.raises(TrainingError, match="No gradient was finite in 50 steps"):
        trainer.step(_FLOW, broken)


def test_recordings_train_without_a_flow_loss_and_cannot_train_flow(
    data: TrainingData, tmp_path: Path
) -> None:
    trainer = _trainer(data, tmp_path)
    assert trainer.step(_CASCADE, _recording()).keys() == {"stage1", "hard1", "stage2", "hard2"}
    with pytest.raises(ValueError, match="exact flow"):
        trainer.step(_FLOW, _recording())


def test_exact_flow_takes_the_place_of_the_estimate(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    phase = dataclasses.replace(
        _CASCADE, hard_examples=0.0, fourier_weight=0.5, psnr_weight=0.01, exact_flow_share=1.0
    )
    batch = next(trainer.batches(phase))
    before = {name: tensor.clone() for name, tensor in trainer.state.cascade.stage.flow.state_dict().items()}
    assert trainer.step(phase, batch).keys() == {"stage1", "fourier1", "psnr1", "stage2", "fourier2", "psnr2"}
    after = trainer.state.cascade.stage.flow.state_dict()
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())
    assert {"flow1", "flow2"} < trainer.step(dataclasses.replace(phase, exact_flow_share=0.0), batch).keys()


def test_stage_wise_training_keeps_gradients_inside_a_stage(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    last = trainer.state.cascade.stage.restoration.body.leave[-1]

    def gradients(phase: Phase) -> dict[str, torch.Tensor]:
        found = {}
        for term in ("stage1", "stage2"):
            trainer.state.cascade.zero_grad()
            loss_terms(trainer.state.cascade, phase, _recording())[term].backward()  # type: ignore[no-untyped-call]
            found[term] = last.weight.grad.clone()  # type: ignore[union-attr]
        return found

    plain = dataclasses.replace(_CASCADE, hard_examples=0.0)
    joint, detached = gradients(plain), gradients(dataclasses.replace(plain, detach_stages=True))
    assert torch.equal(joint["stage1"], detached["stage1"])
    # Joint training reaches the shared weights through both applications of them, twice as strongly at the start.
    assert joint["stage2"].norm() > 1.3 * detached["stage2"].norm()


def test_the_published_loss_counts_every_restored_frame_alike(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    batch = _recording()
    with torch.no_grad():
        plain = loss_terms(trainer.state.cascade, dataclasses.replace(_CASCADE, hard_examples=0.0), batch)
        weighted = loss_terms(
            trainer.state.cascade, dataclasses.replace(_CASCADE, hard_examples=0.0, per_frame=True), batch
        )
    assert weighted["stage1"].item() == pytest.approx(plain["stage1"].item() * 3 / 4)
    assert weighted["stage2"].item() == pytest.approx(plain["stage2"].item() / 4)


def test_stages_before_the_last_can_count_less(data: TrainingData, tmp_path: Path) -> None:
    trainer = _trainer(data, tmp_path)
    batch = _recording()
    with torch.no_grad():
        plain = loss_terms(trainer.state.cascade, _CASCADE, batch)
        weighted = loss_terms(trainer.state.cascade, dataclasses.replace(_CASCADE, early_weight=0.25), batch)
    assert weighted["stage1"].item() == pytest.approx(plain["stage1"].item() / 4)
    assert weighted["stage2"].item() == pytest.approx(plain["stage2"].item())


def test_a_released_checkpoint_is_fine_tuned_with_flow_at_its_own_rate(
    data: TrainingData, tmp_path: Path
) -> None:
    torch.save(released_state(), tmp_path / "released.pt")
    phase = dataclasses.replace(PAPER.phases[0], crop=64, batch=1, in_epochs=False, paired_share=0.0)
    trainer = _trainer(data, tmp_path, dataclasses.replace(PAPER, phases=(phase,), bfloat16=False))
    released = checkpoint.load(tmp_path / "released.pt")
    trainer.state.start_from(released.state_dict())

    trainer.step(phase, _recording())

    # Adam's first step moves a weight by its learning rate, whatever the size of the gradient.
    for part, rate in (("flow", 1e-6), ("restoration", 1e-4)):
        now = getattr(trainer.state.cascade.stage, part).state_dict()
        moved = [
            (now[name] - old).abs().max() for name, old in getattr(released.stage, part).state_dict().items()
        ]
        assert max(moved).item() == pytest.approx(rate, rel=0.2), part
    assert {group["lr"] for group in trainer.state.optimizer.param_groups} == {1e-6, 1e-4}


def test_flow_alone_is_taken_from_a_checkpoint_or_from_pwc_net(tmp_path: Path) -> None:
    state = released_state()
    prefix = "flow_net.moduleNetwork."
    alone = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
    torch.save(state, tmp_path / "released.pt")
    torch.save(alone, tmp_path / "pwc.pt")
    released, pwc = (checkpoint.load_flow(tmp_path / name) for name in ("released.pt", "pwc.pt"))
    expected = {
        name: t for name, t in checkpoint.from_released(state).state_dict().items() if ".flow." in name
    }
    assert released.keys() == pwc.keys() == expected.keys()
    assert all(torch.equal(pwc[name], tensor) for name, tensor in expected.items())


def test_weights_of_another_network_are_refused(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="another network"):
        _trainer(data, tmp_path).state.start_from(checkpoint.from_released(released_state()).state_dict())
