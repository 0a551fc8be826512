"""Trains networks side by side on one stream of samples, for a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cascade.training.errors import TrainingError
from cascade.training.metrics_log import MetricsLog
from cascade.training.phase import Phase
from cascade.training.schedule import timed_rate
from cascade.training.timed import cuda
from cascade.training.timed.learner import Learner
from cascade.training.timed.pace import Pace, describe
from cascade.training.timed.preparation import prepare
from cascade.training.timed.ring import SampleRing
from cascade.training.timed.state import TimedState
from cascade.training.timed.stream import SampleStream

logger = logging.getLogger(__name__)

_LOG_SECONDS = 20
"""Time from one record to the next."""
_FIRST_BATCHES = 4
"""Batches that the ring holds before the first step."""
_MOST_DRAWS = 16
"""How often a sample is drawn in the mean, at most: there are as many flips, turns and reversals of it."""
_MOST_BROKEN = 50
"""Steps in a row whose gradient is not finite, after which going on is a waste."""
_PATIENCE = 0.2
"""Seconds of waiting for samples after which the trainer looks whether it should stop."""


@dataclass(frozen=True)
class TimedOptions:
    """What a run is told beyond its recipe."""

    output: Path
    seconds: float | None = None
    """How long it takes, with everything before the first step."""
    steps: int | None = None
    """How many steps it has; it ends by whichever is reached first."""
    started: float = field(default_factory=time.monotonic)
    """When it began, by the monotonic clock."""
    save_seconds: float = 120
    compile: bool = False
    """Whether parts of the networks are compiled."""
    profile: bool = False
    """Whether the log begins with the time of each kernel."""


class TimedTrainer:
    """Trains until the time is over, from wherever its state stands."""

    def __init__(
        self, phase: Phase, state: TimedState, stream: SampleStream, ring: SampleRing, options: TimedOptions
    ) -> None:
        self.phase, self.state, self.stream, self.ring, self.options = phase, state, stream, ring, options
        self.stopping = False
        """Set by anyone, a signal handler for one, to save and return from `run` after the current step."""
        self.log = MetricsLog(options.output / "log.jsonl")
        self._pace = Pace(made=0)
        self._lead = cuda.Lead() if ring.device.type == "cuda" else None
        self._drawn = 0
        self._logged_step = state.progress.step
        self._broken = dict.fromkeys((learner.name for learner in state.learners), 0)
        self._now = options.started
        self._saved_at = self._logged_at = time.monotonic()

    @property
    def learners(self) -> Sequence[Learner]:
        """The networks that are trained."""
        return self.state.learners

    @property
    def share(self) -> float:
        """The share of the training that is over, 0 to 1: of its time, or of its steps."""
        progress = self.state.progress
        seconds, steps = self.options.seconds, self.options.steps
        shares = (progress.seconds / seconds if seconds else 0.0, progress.step / steps if steps else 0.0)
        return min(1.0, max(shares))

    def run(self) -> None:
        """Trains to the end of its time, or until `stopping` is set; saves in either case.

        Raises TrainingError when too many steps in a row have no finite gradient; the last save stands.
        """
        self.options.output.mkdir(parents=True, exist_ok=True)
        self._fill(_FIRST_BATCHES * self.phase.batch)
        if not self.stopping:
            self._prepare()
        self._pace = Pace(self.ring.taken)
        self._tick()
        while not self.stopping and self.share < 1:
            self._take_samples()
            self.step()
            self._log_and_save_when_due()
        if self.state.progress.step > self._logged_step:
            self._write_log()
        self.save()

    def step(self) -> None:
        """Does one step of every network on the same samples."""
        progress = self.state.progress
        rng = np.random.default_rng((self.state.seed, progress.step))
        batch = self.ring.draw(self.phase.batch, rng)
        for learner in self.learners:
            learner.show(batch)
            learner.step(timed_rate(self.phase, learner.rate, progress.step, self.share))
        if self._lead is not None:
            self._lead.wait()
        self._drawn += self.phase.batch
        self._pace.use(self.phase.batch)
        progress.step += 1
        self._tick()

    def save(self) -> None:
        """Writes the state into the output folder. Raises OSError."""
        self.state.save(self.options.output)
        self._saved_at = time.monotonic()

    def _fill(self, count: int) -> None:
        """Waits until the ring holds ``count`` samples, or as many as it can."""
        start = time.monotonic()
        while self.ring.filled < min(count, self.ring.size) and not self.stopping:
            self._take(_PATIENCE)
        logger.info("The first %d samples took %.1f s.", self.ring.filled, time.monotonic() - start)

    def _take_samples(self) -> None:
        """Takes what is ready, and waits where the samples that are there were drawn often enough."""
        while self._take(0):
            pass
        if self._drawn >= _MOST_DRAWS * self.ring.taken:
            with self._pace.waiting():
                while not self.stopping and not self._take(_PATIENCE):
                    pass

    def _take(self, patience: float) -> bool:
        batch = self.stream.take(patience)
        if batch is None:
            return False
        self.ring.put(batch)
        self.state.samples += len(batch.blurred)
        return True

    def _prepare(self) -> None:
        """Prepares every network on samples that are shown for it alone."""
        batch = self.ring.draw(self.phase.batch, np.random.default_rng(self.state.seed))
        for learner in self.learners:
            if self.stopping:
                return
            learner.show(batch)
            prepare(learner, self.options.compile, self.options.profile)

    def _tick(self) -> None:
        now = time.monotonic()
        self.state.progress.seconds += now - self._now
        self._now = now

    def _log_and_save_when_due(self) -> None:
        if self._now - self._logged_at > _LOG_SECONDS or self.state.progress.step == 1:
            self._write_log()
        if self._now - self._saved_at > self.options.save_seconds:
            self.save()

    def _write_log(self) -> None:
        """Logs the losses since the last record, which waits for the device. Raises TrainingError."""
        progress, pace = self.state.progress, self._pace.report(self.ring.taken)
        record: dict[str, float | str] = {"phase": self.phase.name, "step": progress.step, **pace}
        for learner in self.learners:
            prefix = f"{learner.name}_" if len(self.learners) > 1 else ""
            terms, steps, broken = learner.report()
            record |= {prefix + name: round(value, 5) for name, value in terms.items()}
            record[f"{prefix}rate"] = float(f"{learner.last_rate:.3g}")
            self._count_broken(learner.name, steps, broken)
        self.log.write(progress.seconds, record)
        logger.info("%s", describe(pace))
        self._logged_at, self._logged_step = time.monotonic(), progress.step

    def _count_broken(self, name: str, steps: int, broken: int) -> None:
        progress = self.state.progress
        progress.skipped += broken
        self._broken[name] = self._broken[name] + broken if broken == steps else 0
        if broken:
            self.log.write(progress.seconds, {"skipped": broken, "network": name, "step": progress.step})
        if self._broken[name] >= _MOST_BROKEN:
            raise TrainingError(f"No gradient of {name} was finite in {self._broken[name]} steps.")
