"""A timed training by the options of the command: its networks, samples and settings."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import NetworkConfig, preset
from cascade.network.widen import widen
from cascade.training.errors import TrainingError
from cascade.training.phase import Phase
from cascade.training.progress import Progress
from cascade.training.recipes import TRAINED_RATES, Recipe
from cascade.training.samples import Samples
from cascade.training.sources import TrainingData, source_for
from cascade.training.state import CHECKPOINT
from cascade.training.timed import cuda
from cascade.training.timed.learner import Learner, LearnerSettings
from cascade.training.timed.ring import SampleRing
from cascade.training.timed.state import TimedState
from cascade.training.timed.stream import SampleStream, endless
from cascade.training.timed.trainer import TimedOptions, TimedTrainer

_BATCH = 8
"""Samples that go from a worker to the ring at a time, at most."""


@dataclass(frozen=True)
class Start:
    """Where one network starts."""

    preset: str
    init: Path | None
    """Checkpoint of its weights; None draws them."""
    rate: float
    """The highest learning rate."""


@dataclass(frozen=True)
class TimedRun:
    """What the command was told, with what follows from it."""

    recipe: Recipe
    starts: tuple[Start, ...]
    arguments: argparse.Namespace
    started: float = field(default_factory=time.monotonic)
    """When it began, by the monotonic clock."""

    @classmethod
    def of(cls, recipe: Recipe, arguments: argparse.Namespace) -> TimedRun:
        """Reads the options. Raises TrainingError where they do not fit one another."""
        _require_timed_options(arguments)
        presets = arguments.preset or [recipe.preset]
        inits = arguments.init or [None] * len(presets)
        rates = arguments.rate or [TRAINED_RATES.get(name, recipe.phases[0].rate) for name in presets]
        if not len(presets) == len(inits) == len(rates):
            raise TrainingError("There must be one --init for each --preset or none, and so of --rate.")
        if len(set(presets)) < len(presets):
            raise TrainingError("Each --preset can be trained once.")
        return cls(recipe, tuple(map(Start, presets, inits, rates)), arguments)

    @property
    def phase(self) -> Phase:
        """The recipe's only phase."""
        return self.recipe.phases[0]

    @contextmanager
    def opened(self, data: TrainingData) -> Iterator[TimedTrainer]:
        """Makes the trainer, with its workers, which end with the context.

        Raises OSError, CheckpointError, WideningError, or TrainingError.
        """
        source = source_for(self.phase, data)
        cascades = [self.cascade(start) for start in self.starts]
        stream = self._stream(endless(source, self.arguments.seed, self._samples_so_far()))
        try:
            yield self._trainer(cascades, stream)
        finally:
            stream.close()

    def _trainer(self, cascades: list[Cascade], stream: SampleStream) -> TimedTrainer:
        arguments, device = self.arguments, torch.device(self.arguments.device)
        on_cuda = device.type == "cuda"
        if on_cuda:
            cuda.prepare()
        pairs = zip(self.starts, cascades, strict=True)
        learners = [Learner(start.preset, each, start.rate, self._settings(device)) for start, each in pairs]
        state = TimedState(self.recipe.name, arguments.seed, learners, Progress())
        if arguments.resume:
            state.load(arguments.output)
        options = TimedOptions(
            output=arguments.output,
            seconds=None if arguments.minutes is None else 60 * arguments.minutes,
            steps=arguments.steps,
            started=self.started,
            save_seconds=60 * arguments.save_minutes,
            compile=on_cuda if arguments.compile is None else arguments.compile,
            profile=arguments.profile,
        )
        # Codecs treat colors unlike, so those of coded samples change places before, not when they are drawn.
        ring = SampleRing(arguments.ring, device, with_colors=not self.phase.coded_share)
        return TimedTrainer(self.phase, state, stream, ring, options)

    def _settings(self, device: torch.device) -> LearnerSettings:
        recipe = self.recipe
        bfloat16 = recipe.bfloat16 and device.type == "cuda"
        return LearnerSettings(self.phase, device, bfloat16, recipe.ema_decay, recipe.max_norm)

    def cascade(self, start: Start) -> Cascade:
        """Returns the network that one start says.

        Raises FileNotFoundError, CheckpointError, WideningError, or TrainingError for that of another network.
        """
        recipe = self.recipe
        config = preset(start.preset, stages=recipe.stages, prior=recipe.prior, use_flow=recipe.use_flow)
        if start.init is None:
            return Cascade(config)
        given = checkpoint.load(start.init)
        if _shape(given.config) == _shape(config):
            return given
        if not self.arguments.widen:
            raise TrainingError(
                f"The checkpoint {start.init} is of another network than {start.preset}; if it is of a smaller one, "
                "--widen starts from it."
            )
        large = Cascade(config)
        widen(large, given)
        return large

    @property
    def workers(self) -> int:
        """The processes that make samples: unless the command says otherwise, as many as leave a core."""
        workers: int | None = self.arguments.workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores - 1) if workers is None else workers

    def _stream(self, samples: Samples) -> SampleStream:
        batch = min(_BATCH, self.arguments.ring, self.phase.batch)
        return SampleStream(samples, batch, self.workers, pin_memory=self.arguments.device == "cuda")

    def _samples_so_far(self) -> int:
        if not self.arguments.resume:
            return 0
        return int(checkpoint.read(self.arguments.output / CHECKPOINT).get("samples", 0))


def require_no_timed_options(arguments: argparse.Namespace) -> None:
    """Raises TrainingError for options that only a timed training has, or several networks."""
    given = [
        name
        for name in ("minutes", "steps", "preset", "widen", "rate", "compile", "profile")
        if getattr(arguments, name)
    ]
    if given:
        raise TrainingError(f"Only the recipe gpu takes {_options(given)}.")
    if len(arguments.init) > 1:
        raise TrainingError("This recipe trains one network, so it takes one --init.")


def _require_timed_options(arguments: argparse.Namespace) -> None:
    given = [name for name in ("pairs", "validation", "init_flow") if getattr(arguments, name)]
    if given:
        raise TrainingError(
            f"The recipe gpu does not take {_options(given)}; cascade.evaluate measures its weights."
        )
    if not arguments.minutes and not arguments.steps:
        raise TrainingError("The recipe gpu trains for a time: say how long with --minutes.")
    if not arguments.photos:
        raise TrainingError(
            "The recipe gpu synthesizes blur on photographs: name folders of them with --photos."
        )


def _options(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _shape(config: NetworkConfig) -> tuple[object, ...]:
    return config.flow, config.restoration, config.prior, config.use_flow, config.stages
