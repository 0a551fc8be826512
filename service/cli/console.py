"""What the command line prints: results on stdout, progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from service.client import Job, Progress

REFRESHES_PER_SECOND = 8
LINES_EVERY_S = 10.0
"""Where stderr is no terminal, a line this often is enough for a log."""
_STATUS_STYLES = {"succeeded": "green", "running": "cyan", "failed": "red", "canceled": "yellow"}


def say(line: str) -> None:
    """One line of result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # a service's address is wanted while it runs, also through a pipe


def note(line: str) -> None:
    """One line that is no result."""
    sys.stderr.write(line + "\n")


def complain(line: str) -> None:
    """One line on stderr, whatever line breaks the message carries."""
    note(f"cdvd: {' '.join(line.split())}")


def say_json(value: Any) -> None:
    say(json.dumps(value, indent=2))


def say_json_line(value: Any) -> None:
    say(json.dumps(value))


def status_text(status: str) -> Text:
    return Text(status, style=_STATUS_STYLES.get(status, ""))


def duration(seconds: float) -> str:
    """``75`` -> ``1:15``, ``3700`` -> ``1:01:40``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.1f} MiB"


@dataclass(frozen=True)
class Shown:
    """One state of a bar; ``total`` is None while nobody knows."""

    doing: str
    done: int = 0
    total: int | None = None
    detail: str = ""
    left_s: float | None = None

    def __str__(self) -> str:
        left = f"{duration(self.left_s)} left" if self.left_s is not None else ""
        told = ", ".join(part for part in (self.detail, left) if part)
        return f"{self.doing}: {told}" if told else self.doing


class JobBar:
    """What is going on with one job after another: sending, restoring, fetching."""

    def __init__(
        self,
        show: Callable[[Shown], None],
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._show = show
        self.aside = aside
        """While other lines are printed."""
        self.title = ""
        """Ahead of all that is shown: whose job it is, where there are several."""
        show(Shown("Starting"))

    def stopping(self) -> None:
        self._show(Shown("Stopping the service"))

    def sent(self, done: int, total: int) -> None:
        self._bytes("Sending", done, total)

    def received(self, done: int, total: int) -> None:
        self._bytes("Fetching", done, total)

    def job(self, job: Job) -> None:
        """Show a job as the service described it."""
        at = job.progress
        doing = "Waiting in the queue" if job.status == "queued" else "Deblurring"
        left = None if job.finished else at.eta_s
        self._show(Shown(self.title + doing, at.frames_done, at.frames_total or None, _speed(at), left))

    def _bytes(self, doing: str, done: int, total: int) -> None:
        detail = f"{mebibytes(done)} of {mebibytes(total)}"
        self._show(Shown(self.title + doing, done, total or None, detail))


def job_detail(job: Job) -> str:
    """``12 of 48 frames, 3.1 frames/s, 0:11 left``, as far as it is known."""
    left = job.progress.eta_s if not job.finished else None
    parts = (_speed(job.progress), f"{duration(left)} left" if left is not None else "")
    return ", ".join(part for part in parts if part)


def _speed(at: Progress) -> str:
    parts = [f"{at.frames_done} of {at.frames_total} frames"] if at.frames_total else []
    if at.frames_per_second:
        parts.append(f"{at.frames_per_second:.2g} frames/s")
    return ", ".join(parts)


class Lines:
    """Progress for logs: a line when something else begins, and now and then while it lasts."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._doing, self._next = "", 0.0

    def show(self, now: Shown) -> None:
        if now.doing == self._doing and self._clock() < self._next:
            return
        self._doing, self._next = now.doing, self._clock() + LINES_EVERY_S
        self._write(str(now))


@contextmanager
def job_bar(*, quiet: bool = False) -> Iterator[JobBar]:
    """A live bar on stderr; plain lines where that is no terminal, and nothing if that is wished."""
    console = Console(stderr=True)
    if quiet:
        yield JobBar(lambda _shown: None)
    elif not console.is_terminal:
        yield JobBar(Lines(note).show)
    else:
        with _live(console) as progress:
            yield JobBar(_shown_in(progress), lambda: _hidden(progress))


class _TimeLeft(ProgressColumn):
    """Runs down between two answers of the service."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        return Text("" if end is None else f"{duration(max(0.0, end - time.monotonic()))} left")


def _live(console: Console) -> Bars:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[detail]}"),
        _TimeLeft(),
    )
    return Bars(
        *columns,
        console=console,
        transient=True,
        redirect_stdout=False,  # results go where stdout goes
        redirect_stderr=False,
        refresh_per_second=REFRESHES_PER_SECOND,
    )


@contextmanager
def _hidden(progress: Bars) -> Iterator[None]:
    progress.stop()
    try:
        yield
    finally:
        progress.start()


def _shown_in(progress: Bars) -> Callable[[Shown], None]:
    task = progress.add_task("", total=None, detail="", end=None)

    def show(now: Shown) -> None:
        end = None if now.left_s is None else time.monotonic() + now.left_s
        progress.update(
            task, description=now.doing, completed=now.done, total=now.total, detail=now.detail, end=end
        )

    return show


def wrote(job: Job, output: Path) -> None:
    """The line of a job that has a result."""
    frames = job.output.frames if job.output else job.progress.frames_total
    say(f"Wrote {output}: {frames} frames, {mebibytes(output.stat().st_size)}")
