"""Mistreats a running service for some minutes and judges what became of every job: ``make chaos``.

Clients submit all the time; processes are killed, stopped and restarted, power is lost. In the end every accepted job
has ended right or failed clearly, no step was finished twice, and no result has changed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.reliability.chaos.client import Client
from benchmarks.reliability.chaos.history import History
from benchmarks.reliability.chaos.report import Report, render, summary
from benchmarks.reliability.chaos.scenes import SCENES, Scene
from benchmarks.reliability.machine import heading
from tests.support.clips import Clip, write_clip
from tests.support.models import write_model

MODEL = "identity"
FRAMES = (5, 20, 50)
"""Of the clips; a segment has eight."""
ENDS_S = 300.0
"""For all jobs to end after the last fault."""


def main() -> None:
    """Prints the table; ends with status 1 if something happened that must not."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=5.0, help="time for faults in one service")
    arguments.add_argument("--faults", type=int, default=None, help="in one service at most")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--services",
        nargs="+",
        choices=list(SCENES),
        default=["disk"],
        help="in turn; one is mistreated at a time",
    )
    arguments.add_argument(
        "--until-faults",
        type=int,
        default=0,
        help="further services, with the next seeds, until so many in all",
    )
    arguments.add_argument("--keep", type=Path, help="new directory for data and logs, which stay")
    asked = arguments.parse_args()
    with _directory(asked.keep) as directory:
        reports = _mistreat_all(Path(directory), asked)
    print(heading(f"python -m benchmarks.reliability.chaos {_words(asked)}"))
    print(f"\n{render(reports)}")
    violations = [violation for report in reports for violation in report.violations]
    for violation in violations:
        print(violation, file=sys.stderr)
    sys.exit(bool(violations))


def _mistreat_all(where: Path, asked: argparse.Namespace) -> list[Report]:
    """Mistreats each kind of service once, then goes on until there were faults enough, or something is wrong.

    Ctrl-C ends it with the reports of the services before.
    """
    reports: list[Report] = []
    for number, name in enumerate(cycle(asked.services)):
        enough = sum(report.faults.total() for report in reports) >= asked.until_faults
        if number >= len(asked.services) and (enough or any(report.violations for report in reports)):
            break
        place = where / f"{number}-{name}"
        place.mkdir()
        try:
            reports.append(mistreat(place, asked.minutes * 60, asked.seed + number, asked.faults, name))
        except KeyboardInterrupt:
            break
        done = f"seed {asked.seed + number}, {reports[-1].faults.total()} faults"
        print(f"{done}. {summary(reports[-1])}", file=sys.stderr, flush=True)
        if asked.keep is None and not reports[-1].violations:
            shutil.rmtree(place)
    return reports


def _words(asked: argparse.Namespace) -> str:
    """Returns the options that say what was done."""
    words = f"--minutes {asked.minutes:g} --seed {asked.seed} --services {' '.join(asked.services)}"
    return f"{words} --until-faults {asked.until_faults}" if asked.until_faults else words


def _directory(kept: Path | None) -> AbstractContextManager[str]:
    if kept is None:
        return tempfile.TemporaryDirectory()
    kept.mkdir()
    return nullcontext(str(kept))


def mistreat(
    where: Path, seconds: float, seed: int, most: int | None = None, service: str = "disk"
) -> Report:
    """Runs a kind of service below ``where`` and injects faults for so many seconds, ``most`` of them at most."""
    scene, chance, report = SCENES[service], random.Random(seed), Report(service)
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


if __name__ == "__main__":
    main()
