"""Runs a recipe: phases, steps, validations, and everything needed to stop and to go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cascade.evaluation import validation
from cascade.figures.comparison import write_image
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import from_dict
from cascade.training.metrics_log import Journal, Meter
from cascade.training.objective import loss_terms
from cascade.training.recipes import Phase, Progress, Recipe
from cascade.training.samples import Batch, Samples, loader
from cascade.training.schedule import make_optimiser, set_rates
from cascade.training.snapshots import snapshot
from cascade.training.sources import Material, PairedSource, source_for

logger = logging.getLogger(__name__)

_LOG_EVERY = 50
_MOST_SKIPPED = 50
"""Steps in a row whose gradient is not finite, after which going on is a waste."""
_EXACT = 3
"""Keeps the choice of batches with exact flow apart from other random numbers of the same seed and step."""


class TrainingError(Exception):
    """The training cannot go on, or not from this checkpoint; the message says why."""


@dataclass(frozen=True)
class Options:
    """What the command line says beyond the recipe."""

    output: Path
    seed: int = 0
    workers: int = 1
    save_seconds: float = 120
    validate_seconds: float = 600
    device: str = "cpu"


class Trainer:
    """Runs a recipe's phases from wherever ``progress`` stands."""

    def __init__(self, recipe: Recipe, material: Material, options: Options) -> None:
        self.recipe, self.material, self.options = recipe, material, options
        self.cascade = Cascade(recipe.network).to(options.device)
        self.cascade.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stub
        decay = get_ema_multi_avg_fn(recipe.ema_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.cascade, multi_avg_fn=decay)
        self.phases = _in_steps(recipe, material)
        self.progress = Progress()
        self.optimiser = make_optimiser(self.cascade, self.phases[0])
        self.clips: Sequence[validation.Clip] = ()
        self.stopping = False
        self.journal = Journal(options.output / "log.jsonl")
        self._skipped_in_a_row = 0
        self._ticked = self._saved = self._validated = time.monotonic()

    @property
    def averaged(self) -> Cascade:
        """The averaged weights: what is validated and exported."""
        module = self.average.module
        assert isinstance(module, Cascade)
        return module

    @property
    def on_gpu(self) -> bool:
        return torch.device(self.options.device).type == "cuda"

    def run(self) -> None:
        """Train to the end of the last phase, or until `stopping` is set; saves in either case.

        Raises TrainingError when too many steps in a row have no finite gradient; the last save stands.
        """
        self.options.output.mkdir(parents=True, exist_ok=True)
        self._ticked = time.monotonic()
        while self.progress.phase < len(self.phases) and not self.stopping:
            self._run_phase(self.phases[self.progress.phase])
            if not self.stopping:
                self.validate()
                self._next_phase()
            self.save()

    def _run_phase(self, phase: Phase) -> None:
        meter = Meter()
        for batch in meter.watch(self._batches(phase)):
            meter.add(phase.batch, self.step(phase, batch))
            self._count_step()
            if self.progress.step % _LOG_EVERY == 0 or self.progress.step == phase.steps:
                self._log(
                    {"phase": phase.name, "step": self.progress.step, **meter.report(), **self._rates()}
                )
            self._now_and_then()
            if self.stopping:
                return

    def _next_phase(self) -> None:
        self.progress.phase, self.progress.step = self.progress.phase + 1, 0
        if self.progress.phase < len(self.phases):
            # Adam's moments of one phase's loss mislead the next one's first steps.
            self.optimiser = make_optimiser(self.cascade, self.phases[self.progress.phase])

    def _batches(self, phase: Phase) -> Iterator[Batch]:
        done = self.progress.step
        samples = Samples(
            source_for(phase, self.material),
            seed=self.options.seed + self.progress.phase,
            start=done * phase.batch,
            count=max(phase.steps - done, 0) * phase.batch,
        )
        yield from loader(samples, phase.batch, self.options.workers, pin_memory=self.on_gpu)

    def step(self, phase: Phase, batch: Batch) -> dict[str, float]:
        """One step of gradient descent; returns the loss terms."""
        set_rates(self.optimiser, phase, self.progress.step)
        device = torch.device(self.options.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            terms = loss_terms(self.cascade, phase, batch.to(device), self._takes_exact_flow(phase))
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.cascade.parameters(), self.recipe.max_norm)
        values = {name: term.item() for name, term in terms.items()}
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update_parameters(self.cascade)
            self._skipped_in_a_row = 0
        else:
            self._skip(phase, values)
        return values

    def _takes_exact_flow(self, phase: Phase) -> bool:
        key = (self.options.seed + self.progress.phase, self.progress.step, _EXACT)
        return bool(np.random.default_rng(key).random() < phase.exact_flow_share)

    def _skip(self, phase: Phase, terms: dict[str, float]) -> None:
        """Leave the weights as they are; one broken sample must not end a night's training."""
        self.progress.skipped += 1
        self._skipped_in_a_row += 1
        self._log({"skipped": True, "phase": phase.name, "step": self.progress.step, "terms": repr(terms)})
        if self._skipped_in_a_row >= _MOST_SKIPPED:
            raise TrainingError(f"no finite gradient in {_MOST_SKIPPED} steps; the last terms: {terms}")

    def _count_step(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._ticked
        self._ticked = now
        self.progress.step += 1

    def _rates(self) -> dict[str, float]:
        rates = [float(f"{group['lr']:.3g}") for group in self.optimiser.param_groups]
        return {"rate": rates[-1]} | ({"flow_rate": rates[0]} if len(rates) > 1 else {})

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._validated > self.options.validate_seconds:
            self.validate()
            self._validated = time.monotonic()
        if now - self._saved > self.options.save_seconds:
            self.save()
            self._saved = time.monotonic()

    def validate(self) -> None:
        """Log the averaged weights' gains over the blurred input, extend the learning curve, write a picture."""
        if not self.clips:
            return
        record = validation.summary(self.averaged, self.clips)
        entry = {"phase": self.progress.phase, "step": self.progress.step, **record}
        self.progress.history.append(entry)
        self._log({"validation": True, **entry})
        steps = self.progress.step + sum(phase.steps for phase in self.phases[: self.progress.phase])
        picture = self.options.output / f"validation_{steps:07}.png"
        write_image(picture, snapshot(self.averaged, self.clips))

    def _log(self, record: dict[str, Any]) -> None:
        self.journal.write(self.progress.seconds, record)

    def start_from(self, weights: dict[str, torch.Tensor]) -> None:
        """Begin with these weights: of a whole cascade, or of a part, and then the others stay as they are.

        Raises TrainingError when they are of another network.
        """
        complete = {**self.cascade.state_dict(), **weights}
        try:
            self.cascade.load_state_dict(complete)
        except RuntimeError as error:
            first = "; ".join(line.strip() for line in str(error).splitlines()[1:4])
            raise TrainingError(f"weights of another network: {first[:300]}") from error
        self.averaged.load_state_dict(complete)

    def save(self) -> None:
        """Write both files, atomically."""
        checkpoint.save(
            self.options.output / "checkpoint.pt",
            self.cascade,
            recipe=self.recipe.name,
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            rng=torch.get_rng_state(),
            cuda_rng=torch.cuda.get_rng_state() if self.on_gpu else None,
            seed=self.options.seed,
            progress=asdict(self.progress),
        )
        checkpoint.save(self.options.output / "weights.pt", self.averaged)

    def resume(self) -> None:
        """Continue from ``checkpoint.pt``: the next batch is the one that would have come.

        Raises FileNotFoundError, CheckpointError, or TrainingError for the checkpoint of another training.
        """
        content = checkpoint.read(self.options.output / "checkpoint.pt")
        self._require_same(content)
        self.progress = Progress(**content["progress"])
        self.optimiser = make_optimiser(
            self.cascade, self.phases[min(self.progress.phase, len(self.phases) - 1)]
        )
        self.cascade.load_state_dict(content["weights"])
        self.average.load_state_dict(content["average"])
        self.optimiser.load_state_dict(content["optimiser"])
        torch.set_rng_state(content["rng"])
        if self.on_gpu and content.get("cuda_rng") is not None:
            torch.cuda.set_rng_state(content["cuda_rng"])

    def _require_same(self, content: dict[str, Any]) -> None:
        path = self.options.output / "checkpoint.pt"
        if "progress" not in content:
            raise TrainingError(f"{path} holds weights only; start from them with --init")
        if content["recipe"] != self.recipe.name:
            raise TrainingError(f"{path} is of recipe {content['recipe']!r}, not {self.recipe.name!r}")
        if content["seed"] != self.options.seed:
            raise TrainingError(f"{path} was trained with seed {content['seed']}, not {self.options.seed}")
        if (found := from_dict(content["config"])) != self.cascade.config:
            raise TrainingError(f"{path} is of another network: {found}, not {self.cascade.config}")


def _in_steps(recipe: Recipe, material: Material) -> list[Phase]:
    """The recipe's phases, those that count epochs of the paired videos in steps. Raises ValueError."""
    phases = []
    for phase in recipe.phases:
        source_for(phase, material)  # says now, not hours later, what is missing
        steps = 0
        if phase.in_epochs:
            steps = PairedSource(material.videos, phase.frames, phase.crop).windows // phase.batch
        phases.append(phase.with_epochs_of(max(1, steps)))
    return phases
