"""Mistreats a running service for some minutes and judges what became of every job: ``make chaos``.

Clients submit all the time; processes are killed, stopped and restarted, power is lost. In the end every accepted job
has ended right or failed clearly, no step was finished twice, and no result has changed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.reliability.chaos import faults, sentinels
from benchmarks.reliability.chaos.client import Client
from benchmarks.reliability.chaos.history import History
from benchmarks.reliability.chaos.sentinels import SentinelStack
from benchmarks.reliability.chaos.stack import Stack
from benchmarks.reliability.machine import heading, table
from tests.support.clips import Clip, write_clip
from tests.support.models import write_model

MODEL = "identity"
FRAMES = (5, 20, 50)
"""Of the clips; a segment has eight."""
ENDS_S = 300.0
"""For all jobs to end after the last fault."""


@dataclass(frozen=True)
class Scene:
    """A kind of service, and what can be done to it."""

    stack: Callable[[Path, Path, str], Any]
    faults: Mapping[str, Callable[[Any, random.Random], None]]
    loses_a_moment: frozenset[str]
    """Faults after which jobs that were accepted in the last moment may be unknown."""
    unaware_s: tuple[float, ...] = ()
    """Seconds after such a fault up to which something may still be accepted in vain."""


ONE_REDIS = Scene(Stack, faults.FAULTS, faults.LOSES_A_MOMENT)
SENTINELS = Scene(SentinelStack, sentinels.FAULTS, sentinels.LOSES_A_MOMENT, (0.0, 2.4, 4.8))


@dataclass
class Report:
    """What was done, and what came of it."""

    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    jobs: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    """Longest time until the service was ready again after a fault."""


def main() -> None:
    """Prints the table; ends with status 1 if something happened that must not."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=5.0, help="time for faults")
    arguments.add_argument("--faults", type=int, default=None, help="faults at most")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--sentinels", action="store_true", help="Redis has a replica and three Sentinels")
    arguments.add_argument("--keep", type=Path, help="new directory for data and logs, which stay")
    asked = arguments.parse_args()
    with _directory(asked.keep) as directory:
        scene = SENTINELS if asked.sentinels else ONE_REDIS
        report = mistreat(Path(directory), asked.minutes * 60, asked.seed, asked.faults, scene)
    more = " --sentinels" if asked.sentinels else ""
    print(
        heading(
            f"python -m benchmarks.reliability.chaos --minutes {asked.minutes:g} --seed {asked.seed}{more}"
        )
    )
    print(render(report))
    for violation in report.violations:
        print(violation, file=sys.stderr)
    sys.exit(bool(report.violations))


def _directory(kept: Path | None) -> AbstractContextManager[str]:
    if kept is None:
        return tempfile.TemporaryDirectory()
    kept.mkdir()
    return nullcontext(str(kept))


def mistreat(
    where: Path, seconds: float, seed: int, most: int | None = None, scene: Scene = ONE_REDIS
) -> Report:
    """Runs a service below ``where`` and injects faults for so many seconds, ``most`` of them at most."""
    chance, report = random.Random(seed), Report()
    write_model(where / "models", MODEL)
    clips = {
        str(frames): write_clip(where / f"{frames}.mp4", Clip(frames=frames, audio="aac"))
        for frames in FRAMES
    }
    with (
        scene.stack(where / "data-0", where / "models", MODEL) as stack,
        closing(Client(stack.urls, clips, seed)) as client,
    ):
        stack.start()
        references = {name: _reference(client, name) for name in clips}
        client.start()
        losses = _inject(scene, stack, chance, report, time.monotonic() + seconds, most)
        client.stop()
        report.violations += _judge(client, references, losses, report)
    return report


def _reference(client: Client, clip: str) -> str:
    accepted = client.submit(clip)
    if accepted is None:
        raise RuntimeError("The service takes no job although nothing was done to it.")
    client.accepted.append(accepted)
    return client.ended(accepted.job_id, ENDS_S).results[0]


def _inject(
    scene: Scene, stack: Any, chance: random.Random, report: Report, until: float, most: int | None
) -> tuple[float, ...]:
    """Returns the times at which power was lost."""
    losses = []
    names: list[str] = []
    while time.monotonic() < until and (most is None or report.faults.total() < most):
        names = names or chance.sample(sorted(scene.faults), len(scene.faults))
        name = names.pop()
        time.sleep(chance.uniform(0.5, 4.0))
        losses += [time.time()] if name in scene.loses_a_moment else []
        scene.faults[name](stack, chance)
        losses += [time.time() + later for later in scene.unaware_s] if name in scene.loses_a_moment else []
        report.faults[name] += 1
        began = time.monotonic()
        try:
            stack.start()
        except TimeoutError as error:
            report.violations.append(f"After '{name}' the service does not come back: {error}")
            break
        report.slowest_s = max(report.slowest_s, time.monotonic() - began)
    return tuple(losses)


def _judge(
    client: Client, references: dict[str, str], losses: tuple[float, ...], report: Report
) -> list[str]:
    deadline = time.monotonic() + ENDS_S
    known = {one.job_id for one in client.accepted} | set(client.known())
    ended = {job_id: client.ended(job_id, max(1.0, deadline - time.monotonic())) for job_id in sorted(known)}
    report.jobs.update(
        one.status if one.error is None else f"{one.status} ({one.error})" for one in ended.values()
    )
    report.jobs["submissions given up without an answer"] = client.unanswered
    history = History(tuple(client.accepted), ended, references, losses, client.unanswered)
    return history.violations()


def render(report: Report) -> str:
    """Returns the table of faults, and sentences about the jobs."""
    rows = [*sorted(report.faults.items()), ("**all**", report.faults.total())]
    jobs = ", ".join(f"{number} {status}" for status, number in sorted(report.jobs.items()) if number)
    return "\n".join(
        [
            table(("fault", "times"), rows),
            "",
            f"Jobs: {jobs}. Ready again after a fault within {report.slowest_s:.0f} s. "
            f"Things that must not happen: {len(report.violations)}.",
        ]
    )


if __name__ == "__main__":
    main()
