"""Cascaded training: ``python -m cascade.train --recipe lite-cpu --photos DIR ... --output runs/lite``.

Flow is trained first, supervised by the exact flow of the synthetic samples, then the cascade end to end with a loss
on every stage's output. A run writes ``checkpoint.pt`` (everything needed to go on: ``--resume``), ``weights.pt``
(averaged weights only, what ``python -m export`` takes) and ``log.jsonl``. Ctrl-C saves and stops.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cascade import checkpoint, losses, validation
from cascade.cascade import Cascade
from cascade.config import preset
from cascade.data.material import mix_material
from cascade.data.photographs import load_photographs, split_photographs
from cascade.recipes import RECIPES, Phase, Progress, Recipe
from cascade.samples import Batch, SyntheticSamples, images, loader, neighbour_flows

logger = logging.getLogger(__name__)

_LOG_EVERY = 50
_MAX_NORM = 1.0  # gradients of single strongly blurred samples would otherwise undo many steps


@dataclass(frozen=True)
class Options:
    """What the command line says beyond the recipe."""

    output: Path
    seed: int
    workers: int
    save_seconds: float
    validate_seconds: float


class Trainer:
    """Runs a recipe's phases from wherever ``progress`` stands."""

    def __init__(self, recipe: Recipe, photos: Sequence[NDArray[np.uint8]], options: Options) -> None:
        self.recipe, self.photos, self.options = recipe, photos, options
        self.cascade = Cascade(preset(recipe.preset))
        self.cascade.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stub
        decay = get_ema_multi_avg_fn(recipe.ema_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.cascade, multi_avg_fn=decay)
        self.optimiser = torch.optim.Adam(self.cascade.parameters(), lr=0.0)
        self.progress = Progress()
        self.clips: list[validation.Clip] = []
        self.stopping = False
        self._saved = self._validated = time.monotonic()

    @property
    def averaged(self) -> Cascade:
        """The averaged weights: what is validated and exported."""
        module = self.average.module
        assert isinstance(module, Cascade)
        return module

    def run(self) -> None:
        """Train to the end of the last phase, or until `stopping` is set; saves in either case."""
        self.options.output.mkdir(parents=True, exist_ok=True)
        while self.progress.phase < len(self.recipe.phases) and not self.stopping:
            phase = self.recipe.phases[self.progress.phase]
            self._run_phase(phase)
            if not self.stopping:
                self.validate()
                self.progress.phase, self.progress.step = self.progress.phase + 1, 0
                # Adam's moments of one phase's loss mislead the next one's first steps.
                self.optimiser = torch.optim.Adam(self.cascade.parameters(), lr=0.0)
            self.save()

    def _run_phase(self, phase: Phase) -> None:
        start = time.monotonic()
        for batch in self._batches(phase):
            terms = self.step(phase, batch)
            self.progress.step += 1
            if self.progress.step % _LOG_EVERY == 0:
                now = time.monotonic()
                self.progress.seconds += now - start
                rate = _LOG_EVERY * phase.batch / (now - start)
                self._log(
                    {
                        "phase": phase.name,
                        "step": self.progress.step,
                        "samples_per_s": round(rate, 2),
                        **terms,
                    }
                )
                start = now
            self._now_and_then()
            if self.stopping:
                return

    def _batches(self, phase: Phase) -> Iterator[Batch]:
        done = self.progress.step
        samples = SyntheticSamples(
            self.photos,
            phase.synthesis(),
            seed=self.options.seed + self.progress.phase,
            start=done * phase.batch,
            count=max(phase.steps - done, 0) * phase.batch,
        )
        yield from loader(samples, phase.batch, self.options.workers)

    def step(self, phase: Phase, batch: Batch) -> dict[str, float]:
        """One step of gradient descent; returns the loss terms."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(phase, self.progress.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            terms = self._losses(phase, batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.cascade.parameters(), _MAX_NORM)
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update_parameters(self.cascade)
        return {name: round(term.item(), 5) for name, term in terms.items()}

    def _losses(self, phase: Phase, batch: Batch) -> dict[str, Tensor]:
        frames, flows = images(batch["blurred"]), neighbour_flows(batch)
        if not phase.train_restoration:
            prediction = self.cascade.stage.neighbour_flow(frames)
            error = losses.multi_scale_end_point_error(prediction.levels, flows.flatten(0, 2))
            return {"flow": error * phase.flow_weight}
        return self._cascade_losses(phase, frames, images(batch["sharp"]), flows)

    def _cascade_losses(
        self, phase: Phase, frames: Tensor, truth: Tensor, flows: Tensor
    ) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        for number, stage in enumerate(self.cascade(frames), start=1):
            target = truth[:, number:-number]
            terms[f"stage{number}"] = losses.l1(stage.restored, target)
            if phase.hard_examples:
                hard = losses.hard_example_l1(stage.restored, target)
                terms[f"hard{number}"] = hard * phase.hard_examples
            inner = flows[:, :, number - 1 : flows.shape[2] - number + 1].flatten(0, 2)
            levels = [level.flatten(0, 2) for level in stage.flow_levels]
            terms[f"flow{number}"] = losses.multi_scale_end_point_error(levels, inner) * phase.flow_weight
        return terms

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._validated > self.options.validate_seconds:
            self.validate()
            self._validated = time.monotonic()
        if now - self._saved > self.options.save_seconds:
            self.save()
            self._saved = time.monotonic()

    def validate(self) -> None:
        """Log the averaged weights' gains over the blurred input, and append them to the learning curve."""
        if not self.clips:
            return
        averaged = self.averaged
        gains = validation.mean_gains(averaged, self.clips)
        real = {name: value for name, value in gains.items() if not name.startswith("synthetic")}
        synthetic = [value for name, value in gains.items() if name.startswith("synthetic")]
        record = {f"gain_{name}": round(value, 3) for name, value in real.items()}
        if synthetic:
            record["gain_synthetic"] = round(float(np.mean(synthetic)), 3)
        record["alignment_db"] = round(validation.alignment(averaged, self.clips), 3)
        entry = {"phase": self.progress.phase, "step": self.progress.step, **record}
        self.progress.history.append(entry)
        self._log({"validation": True, **entry})

    def _log(self, record: dict[str, Any]) -> None:
        record = {"time": round(time.time(), 1), "seconds": round(self.progress.seconds, 1), **record}
        line = json.dumps(record)
        logger.info("%s", line)
        with (self.options.output / "log.jsonl").open("a") as log:
            log.write(line + "\n")

    def save(self) -> None:
        """Write both files, atomically."""
        checkpoint.save(
            self.options.output / "checkpoint.pt",
            self.cascade,
            recipe=self.recipe.name,
            average=self.average.state_dict(),
            optimiser=self.optimiser.state_dict(),
            rng=torch.get_rng_state(),
            seed=self.options.seed,
            progress=asdict(self.progress),
        )
        checkpoint.save(self.options.output / "weights.pt", self.averaged)

    def resume(self) -> None:
        """Continue from ``checkpoint.pt``: the next batch is the one that would have come."""
        content = checkpoint.read(self.options.output / "checkpoint.pt")
        self.cascade.load_state_dict(content["weights"])
        self.average.load_state_dict(content["average"])
        self.optimiser.load_state_dict(content["optimiser"])
        torch.set_rng_state(content["rng"])
        self.progress = Progress(**content["progress"])


def learning_rate(phase: Phase, step: int) -> float:
    """Linear warm-up, then a cosine from the phase's rate to its final rate."""
    if step < phase.warmup:
        return phase.rate * (step + 1) / phase.warmup
    fraction = min(1.0, (step - phase.warmup) / max(1, phase.steps - phase.warmup))
    return phase.final_rate + (phase.rate - phase.final_rate) * 0.5 * (1 + math.cos(math.pi * fraction))


def main() -> None:
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(arguments.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    options = Options(
        output=arguments.output,
        seed=arguments.seed,
        workers=arguments.workers,
        save_seconds=120,
        validate_seconds=60 * arguments.validate_minutes,
    )
    training, held_out = split_photographs(load_photographs(arguments.photos))
    logger.info("%d photographs to train on, %d held out", len(training), len(held_out))
    recipe = RECIPES[arguments.recipe]
    material = mix_material(training, recipe.generated_share, np.random.default_rng(arguments.seed))
    trainer = Trainer(recipe, material, options)
    trainer.clips = [*validation.synthetic_clips(held_out)]
    if arguments.validation:
        trainer.clips += validation.paired_clips(arguments.validation)
    if arguments.init:
        trainer.cascade.load_state_dict(checkpoint.load(arguments.init).state_dict())
        trainer.average.module.load_state_dict(trainer.cascade.state_dict())
    if arguments.resume:
        trainer.resume()
    signal.signal(signal.SIGINT, lambda *_: setattr(trainer, "stopping", True))
    signal.signal(signal.SIGTERM, lambda *_: setattr(trainer, "stopping", True))
    trainer.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.train", description=__doc__)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="lite-cpu")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of sharp photographs")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--validation", type=Path, help="paired folder: blur/<video>/*.png, gt/<video>/*.png")
    parser.add_argument("--init", type=Path, help="start from this checkpoint's weights")
    parser.add_argument("--resume", action="store_true", help="go on from OUTPUT/checkpoint.pt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="torch threads; 0 is torch's choice")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    parser.add_argument("--validate-minutes", type=float, default=10)
    return parser


if __name__ == "__main__":
    main()
