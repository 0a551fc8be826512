"""The state of a timed training in files: it comes back, and only to the training that it is of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cascade.network.cascade import Cascade
from cascade.network.config import LITE
from cascade.training.errors import TrainingError
from cascade.training.progress import Progress
from cascade.training.recipes import GPU
from cascade.training.timed.learner import Learner, LearnerSettings
from cascade.training.timed.state import TimedState

_SETTINGS = LearnerSettings(GPU.phases[0], torch.device("cpu"), bfloat16=True, ema_decay=0.9, max_norm=1.0)


def _state(*names: str, seed: int = 0, recipe: str = "gpu", stages: int = 2) -> TimedState:
    learners = [Learner(name, Cascade(replace(LITE, stages=stages)), 1e-3, _SETTINGS) for name in names]
    return TimedState(recipe, seed, learners, Progress())


def _tensors(learner: Learner) -> list[torch.Tensor]:
    return [*learner.parameters.masters, *learner.average, *learner.optimizer.tensors]


def test_everything_comes_back(tmp_path: Path) -> None:
    saved = _state("lite", "base")
    saved.progress, saved.samples = Progress(step=7, seconds=12.5, skipped=1), 99
    for learner in saved.learners:
        for tensor in _tensors(learner):
            tensor.copy_(torch.rand_like(tensor))
    saved.save(tmp_path)
    loaded = _state("lite", "base")
    loaded.load(tmp_path)
    assert (loaded.progress, loaded.samples) == (saved.progress, 99)
    for mine, theirs in zip(loaded.learners, saved.learners, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(_tensors(mine), _tensors(theirs), strict=True))
        for name, master in mine.parameters.named(mine.parameters.masters).items():
            assert torch.equal(mine.cascade.get_parameter(name), master.bfloat16()), name


@pytest.mark.parametrize(
    ("names", "differences", "message"),
    [
        ("lite", {"seed": 3}, r"its seed is 0, not 3\."),
        ("lite", {"recipe": "gpu cascade.batch=4"}, r"its recipe is 'gpu', not 'gpu cascade\.batch=4'\."),
        ("lite base", {}, r"its networks are lite, not lite, base\."),
        ("lite", {"stages": 1}, "another training: its networks"),
    ],
)
def test_the_state_of_another_training_is_refused(
    names: str, differences: dict[str, Any], message: str, tmp_path: Path
) -> None:
    _state("lite").save(tmp_path)
    with pytest.raises(TrainingError, match=message):
        _state(*names.split(), **differences).load(tmp_path)
