"""Recipes with something changed: ablations at an equal number of steps, and single settings by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from cascade.network.config import Prior
from cascade.training.phase import Phase
from cascade.training.recipes import Recipe


class VariationError(ValueError):
    """Raised for a change that the recipe cannot have; the message says what is allowed."""


@dataclass(frozen=True)
class Variation:
    """What differs from the recipe; None, False and an empty tuple change nothing."""

    stages: int | None = None
    prior: Prior | None = None
    without_flow: bool = False
    stage_wise: bool = False
    """Whether one stage is trained alone for half of the steps, then all, without gradients from stage to stage."""
    phases: tuple[str, ...] = ()
    """The recipe's phases to run, by name; all where there are none."""
    settings: tuple[str, ...] = ()
    """``PHASE.FIELD=VALUE`` each, VALUE in JSON: ``cascade.exact_flow_share=0.3``."""

    @property
    def label(self) -> str:
        """The changes in words, as on the command line: part of the name of the changed recipe."""
        parts = {
            f"stages={self.stages}": self.stages is not None,
            f"prior={self.prior}": self.prior is not None,
            "no-flow": self.without_flow,
            "stage-wise": self.stage_wise,
            f"phases={','.join(self.phases)}": bool(self.phases),
        }
        return " ".join([*(part for part, applies in parts.items() if applies), *self.settings])


def vary(recipe: Recipe, variation: Variation) -> Recipe:
    """Returns the recipe with the changes, and with their label in its name, under which alone a training resumes.

    Raises VariationError.
    """
    phases = _phases_named(recipe.phases, variation.phases)
    if variation.stages is not None:
        phases = _with_stages(phases, variation.stages)
    for setting in variation.settings:
        phases = _with_setting(phases, setting)
    if variation.without_flow:
        phases = _without_flow(phases)
    if variation.stage_wise:
        phases = [part for phase in phases for part in _stage_by_stage(phase)]
    return replace(
        recipe,
        name=f"{recipe.name} {variation.label}".strip(),
        stages=variation.stages or recipe.stages,
        prior=variation.prior or recipe.prior,
        use_flow=recipe.use_flow and not variation.without_flow,
        phases=tuple(phases),
    )


def _phases_named(phases: Sequence[Phase], names: Sequence[str]) -> list[Phase]:
    known = [phase.name for phase in phases]
    if unknown := set(names) - set(known):
        raise VariationError(
            f"There is no phase {', '.join(sorted(unknown))}; there are: {', '.join(known)}."
        )
    return [phase for phase in phases if phase.name in names or not names]


def _with_stages(phases: Iterable[Phase], stages: int) -> list[Phase]:
    if stages < 1:
        raise VariationError(f"A cascade has at least one stage, not {stages}.")
    return [replace(p, frames=2 * stages + 1) if p.train_restoration else p for p in phases]


def _without_flow(phases: Iterable[Phase]) -> list[Phase]:
    return [replace(p, flow_weight=0.0, exact_flow_share=0.0) for p in phases if p.train_restoration]


def _stage_by_stage(phase: Phase) -> list[Phase]:
    if not phase.train_restoration:
        return [phase]
    first = phase.steps // 2
    alone = replace(phase, name=f"{phase.name}-stage1", steps=first, frames=3)
    return [alone, replace(phase, steps=phase.steps - first, detach_stages=True)]


def _with_setting(phases: Sequence[Phase], setting: str) -> list[Phase]:
    target, _, text = setting.partition("=")
    name, _, field = target.partition(".")
    known = [each.name for each in fields(Phase) if each.name != "name"]
    if name not in [phase.name for phase in phases] or field not in known:
        raise VariationError(
            f"The setting {setting!r} is not PHASE.FIELD=VALUE with a phase of "
            f"{', '.join(phase.name for phase in phases)} and a field of {', '.join(known)}."
        )
    return [_with_value(phase, field, text) if phase.name == name else phase for phase in phases]


def _with_value(phase: Phase, field: str, text: str) -> Phase:
    """Returns the phase with ``text`` as the field's value, which must be of the kind that stands there now."""
    old = getattr(phase, field)
    value = _parse(text)
    if isinstance(old, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(old) and not (field == "flow_rate" and isinstance(value, float)):
        raise VariationError(
            f"The value {text!r} does not fit {phase.name}.{field}, which is {json.dumps(old)}."
        )
    return replace(phase, **{field: value})


def _parse(text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise VariationError(f"The text {text!r} is not a value in JSON.") from error
    return tuple(value) if isinstance(value, list) else value
