"""What the command line prints: results on stdout, progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from service.client import Job

REFRESHES_PER_SECOND = 8
_STATUS_STYLES = {"succeeded": "green", "running": "cyan", "failed": "red", "canceled": "yellow"}


def say(line: str) -> None:
    """One line of result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # a service's address is wanted while it runs, also through a pipe


def complain(line: str) -> None:
    """One line on stderr, whatever line breaks the message carries."""
    sys.stderr.write(f"cdvd: {' '.join(line.split())}\n")


def say_json(value: Any) -> None:
    say(json.dumps(value, indent=2))


def status_text(status: str) -> Text:
    return Text(status, style=_STATUS_STYLES.get(status, ""))


def duration(seconds: float) -> str:
    """``75`` -> ``1:15``, ``3700`` -> ``1:01:40``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


class JobBar:
    """One bar for the three phases of a job: sending, restoring, fetching."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("Starting", total=None, detail="")

    def stopping(self) -> None:
        self._progress.update(self._task, description="Stopping the service", total=None, detail="")

    def sent(self, done: int, total: int) -> None:
        self._bytes("Sending", done, total)

    def received(self, done: int, total: int) -> None:
        self._bytes("Fetching", done, total)

    def job(self, job: Job) -> None:
        """Show a job as the service described it."""
        at = job.progress
        name = "Waiting in the queue" if job.status == "queued" else "Deblurring"
        self._progress.update(
            self._task,
            description=name,
            completed=at.frames_done,
            total=at.frames_total or None,
            detail=job_detail(job),
        )

    def _bytes(self, name: str, done: int, total: int) -> None:
        detail = f"{mebibytes(done)} of {mebibytes(total)}"
        self._progress.update(
            self._task, description=name, completed=done, total=total or None, detail=detail
        )


def job_detail(job: Job) -> str:
    """``12 of 48 frames, 3.1 frames/s, 0:11 left``, as far as it is known."""
    at = job.progress
    parts = [f"{at.frames_done} of {at.frames_total} frames"] if at.frames_total else []
    if at.frames_per_second:
        parts.append(f"{at.frames_per_second:.2g} frames/s")
    if at.eta_s is not None and not job.finished:
        parts.append(f"{duration(at.eta_s)} left")
    return ", ".join(parts)


@contextmanager
def job_bar(*, quiet: bool = False) -> Iterator[JobBar]:
    """A live bar on stderr. Where stderr is no terminal, nothing is drawn."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[detail]}"),
    )
    shown = console.is_terminal and not quiet
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not shown,
        refresh_per_second=REFRESHES_PER_SECOND,
    ) as progress:
        yield JobBar(progress)


def summary(job: Job, output: Path, *, as_json: bool) -> None:
    """The last line of a job that has a result."""
    if as_json:
        say_json({"output": str(output), "job": asdict(job)})
        return
    frames = job.output.frames if job.output else job.progress.frames_total
    say(f"Wrote {output}: {frames} frames, {mebibytes(output.stat().st_size)}")
