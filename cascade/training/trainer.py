"""Runs a recipe: phases, steps, validations, saves, and the log of all of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cascade.data.clips import Clip
from cascade.data.image_file import write_image
from cascade.evaluation import validation
from cascade.figures import validation_figure
from cascade.training.errors import TrainingError
from cascade.training.metrics_log import Meter, MetricsLog
from cascade.training.objective import loss_terms
from cascade.training.phase import Phase
from cascade.training.recipes import Recipe
from cascade.training.samples import Batch, Samples, batch_loader
from cascade.training.schedule import set_rates
from cascade.training.sources import PairedSource, TrainingData, source_for
from cascade.training.state import TrainingState

_LOG_EVERY = 50
"""Steps from one record of losses to the next."""
_MOST_SKIPPED = 50
"""Steps in a row whose gradient is not finite, after which going on is a waste."""
_EXACT_FLOW = 3
"""Keeps the choice of batches with exact flow apart from other random numbers of the same seed and step."""


@dataclass(frozen=True)
class TrainerOptions:
    """What a run is told beyond its recipe."""

    output: Path
    """Folder for checkpoints, log and pictures."""
    seed: int = 0
    """Of the samples; a run is resumed with the same one."""
    workers: int = 1
    """Processes that make samples; 0 makes them in this one."""
    save_seconds: float = 120
    validate_seconds: float = 600
    device: str = "cpu"


class Trainer:
    """Runs a recipe's phases from wherever its state stands."""

    def __init__(
        self, recipe: Recipe, data: TrainingData, options: TrainerOptions, clips: Sequence[Clip] = ()
    ) -> None:
        """Validates on ``clips``. Raises ValueError where the recipe asks for data that is not given."""
        self.recipe, self.data, self.options, self.clips = recipe, data, options, clips
        self.device = torch.device(options.device)
        self.phases = _phases_in_steps(recipe, data)
        self.state = TrainingState(recipe, self.phases, options.seed, self.device)
        self.stopping = False
        """Set by anyone, a signal handler for one, to save and return from `run` after the current step."""
        self.log = MetricsLog(options.output / "log.jsonl")
        self._skipped_in_a_row = 0
        self._last_step_at = self._saved_at = self._validated_at = time.monotonic()

    def run(self) -> None:
        """Trains to the end of the last phase, or until `stopping` is set; saves in either case.

        Raises TrainingError when too many steps in a row have no finite gradient; the last save stands.
        """
        self.options.output.mkdir(parents=True, exist_ok=True)
        self._last_step_at = time.monotonic()
        while not self.state.finished and not self.stopping:
            self._run_phase(self.phases[self.state.progress.phase])
            if not self.stopping:
                self.validate()
                self.state.begin_next_phase()
            self.save()

    def step(self, phase: Phase, batch: Batch) -> dict[str, float]:
        """Does one step of gradient descent and returns the terms of the loss by name.

        A gradient that is not finite changes nothing. Raises TrainingError after too many of them in a row, and
        ValueError when flow is to be trained on samples without exact flow.
        """
        state = self.state
        set_rates(state.optimizer, phase, state.progress.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            terms = loss_terms(state.cascade, phase, batch.to(self.device), self._takes_exact_flow(phase))
        state.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(state.cascade.parameters(), self.recipe.max_norm)
        values = {name: term.item() for name, term in terms.items()}
        if torch.isfinite(norm):
            state.optimizer.step()
            state.average.update_parameters(state.cascade)
            self._skipped_in_a_row = 0
        else:
            self._skip(phase, values)
        return values

    def validate(self) -> None:
        """Logs the averaged weights' gains over the blurred input, extends the learning curve, writes a picture."""
        if not self.clips:
            return
        progress, averaged = self.state.progress, self.state.averaged
        record = validation.summary(averaged, self.clips)
        entry = {"phase": progress.phase, "step": progress.step, **record}
        progress.history.append(entry)
        self._log({"validation": True, **entry})
        picture = self.options.output / f"validation_{self.state.total_steps:07}.png"
        write_image(picture, validation_figure.draw(averaged, self.clips))

    def save(self) -> None:
        """Writes the state into the output folder. Raises OSError."""
        self.state.save(self.options.output)

    def resume(self) -> None:
        """Continues from the output folder's checkpoint: the next batch is the one that would have come.

        Raises FileNotFoundError, CheckpointError, or TrainingError for the checkpoint of another training.
        """
        self.state.load(self.options.output)

    def batches(self, phase: Phase) -> Iterator[Batch]:
        """Yields the batches that are left of a phase."""
        progress = self.state.progress
        samples = Samples(
            source_for(phase, self.data),
            seed=self.options.seed + progress.phase,
            start=progress.step * phase.batch,
            count=max(phase.steps - progress.step, 0) * phase.batch,
        )
        on_gpu = self.device.type == "cuda"
        yield from batch_loader(samples, phase.batch, self.options.workers, pin_memory=on_gpu)

    def _run_phase(self, phase: Phase) -> None:
        meter, progress = Meter(), self.state.progress
        for batch in meter.watch(self.batches(phase)):
            meter.add(phase.batch, self.step(phase, batch))
            self._count_step()
            if progress.step % _LOG_EVERY == 0 or progress.step == phase.steps:
                self._log({"phase": phase.name, "step": progress.step, **meter.report(), **self._rates()})
            self._validate_and_save_when_due()
            if self.stopping:
                return

    def _takes_exact_flow(self, phase: Phase) -> bool:
        progress = self.state.progress
        key = (self.options.seed + progress.phase, progress.step, _EXACT_FLOW)
        return bool(np.random.default_rng(key).random() < phase.exact_flow_share)

    def _skip(self, phase: Phase, terms: dict[str, float]) -> None:
        """Counts a step that changed nothing: one broken sample must not end a night's training."""
        progress = self.state.progress
        progress.skipped += 1
        self._skipped_in_a_row += 1
        self._log({"skipped": True, "phase": phase.name, "step": progress.step, "terms": repr(terms)})
        if self._skipped_in_a_row >= _MOST_SKIPPED:
            raise TrainingError(f"No gradient was finite in {_MOST_SKIPPED} steps; the last terms: {terms}.")

    def _count_step(self) -> None:
        now = time.monotonic()
        self.state.progress.seconds += now - self._last_step_at
        self._last_step_at = now
        self.state.progress.step += 1

    def _rates(self) -> dict[str, float]:
        rates = [float(f"{group['lr']:.3g}") for group in self.state.optimizer.param_groups]
        return {"rate": rates[-1]} | ({"flow_rate": rates[0]} if len(rates) > 1 else {})

    def _validate_and_save_when_due(self) -> None:
        now = time.monotonic()
        if now - self._validated_at > self.options.validate_seconds:
            self.validate()
            self._validated_at = time.monotonic()
        if now - self._saved_at > self.options.save_seconds:
            self.save()
            self._saved_at = time.monotonic()

    def _log(self, record: dict[str, Any]) -> None:
        self.log.write(self.state.progress.seconds, record)


def _phases_in_steps(recipe: Recipe, data: TrainingData) -> list[Phase]:
    """Returns the recipe's phases, with epochs of the paired videos counted in steps. Raises ValueError."""
    phases = []
    for phase in recipe.phases:
        source_for(phase, data)  # says now, not hours later, what is missing
        steps = 0
        if phase.in_epochs:
            steps = PairedSource(data.videos, phase.frames, phase.crop).windows // phase.batch
        phases.append(phase.with_epochs_of(max(1, steps)))
    return phases
