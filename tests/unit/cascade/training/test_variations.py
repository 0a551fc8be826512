"""Ablations and settings: what they change, and what they leave equal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cascade.network.config import Prior
from cascade.training.recipes import LITE_CPU, RECIPES
from cascade.training.variations import Variation, VariationError, vary

_FLOW, _CASCADE = (next(p for p in LITE_CPU.phases if p.name == name) for name in ("flow", "cascade"))
_RECIPE = replace(LITE_CPU, phases=(_FLOW, replace(_CASCADE, steps=7000)))


def _restoration_steps(variation: Variation) -> int:
    return sum(phase.steps for phase in vary(_RECIPE, variation).phases if phase.train_restoration)


def test_no_variation_is_the_recipe_itself() -> None:
    assert all(vary(recipe, Variation()) == recipe for recipe in RECIPES.values())


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_stages_change_the_network_and_the_frames(stages: int) -> None:
    recipe = vary(_RECIPE, Variation(stages=stages))
    assert recipe.network.stages == stages
    assert [phase.frames for phase in recipe.phases] == [3, 2 * stages + 1]
    assert recipe.name == f"lite-cpu stages={stages}"


def test_the_prior_and_the_flow_are_of_the_network() -> None:
    assert vary(_RECIPE, Variation(prior=Prior.EQUATION)).network.prior is Prior.EQUATION
    without = vary(_RECIPE, Variation(without_flow=True))
    assert not without.network.use_flow
    assert [(phase.name, phase.flow_weight) for phase in without.phases] == [("cascade", 0.0)]


def test_stage_wise_training_has_the_same_number_of_steps() -> None:
    recipe = vary(_RECIPE, Variation(stage_wise=True))
    assert [(p.name, p.frames, p.detach_stages) for p in recipe.phases] == [
        ("flow", 3, False),
        ("cascade-stage1", 3, False),
        ("cascade", 5, True),
    ]
    assert _restoration_steps(Variation(stage_wise=True)) == _restoration_steps(Variation())


def test_settings_and_phases_are_chosen_by_name() -> None:
    settings = ("cascade.steps=10", "cascade.rate=1", "cascade.flow_rate=1e-6", "cascade.blur=[2.0, 8.0]")
    recipe = vary(_RECIPE, Variation(phases=("cascade",), settings=settings))
    (phase,) = recipe.phases
    assert (phase.steps, phase.rate, phase.flow_rate, phase.blur) == (10, 1.0, 1e-6, (2.0, 8.0))
    assert "cascade.steps=10" in recipe.name


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        (Variation(stages=0), "at least one stage"),
        (Variation(phases=("refine",)), "no phase refine; there are: flow, cascade"),
        (Variation(settings=("refine.steps=1",)), "phase of flow, cascade"),
        (Variation(settings=("cascade.speed=1",)), "field of steps, batch"),
        (Variation(settings=("cascade.steps=many",)), "not a value in JSON"),
        (Variation(settings=("cascade.steps=1.5",)), "does not fit cascade.steps, which is 7000"),
        (Variation(settings=("cascade.in_epochs=1",)), "does not fit"),
    ],
)
def test_what_cannot_be_changed_is_refused(variation: Variation, message: str) -> None:
    with pytest.raises(VariationError, match=message):
        vary(_RECIPE, variation)
