"""Shows the progress of jobs on stderr: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from service.cli.output.jobs import frame_progress
from service.cli.output.lines import note
from service.cli.output.pace import BatchPace
from service.cli.output.units import data_size, duration
from service.client import Job
from service.text import plural

REFRESHES_PER_SECOND = 8
_FEWEST = 20
"""Frames after which a pace can be told."""
LINES_EVERY_S = 10.0
"""Where stderr is no terminal, a line this often is enough for a log."""


@dataclass(frozen=True)
class ProgressState:
    """What a progress bar shows at one moment; ``total`` is None while nobody knows it."""

    activity: str
    done: int = 0
    total: int | None = None
    detail: str = ""
    left_s: float | None = None
    all_left_s: float | None = None
    """Until the whole batch is done."""

    def __str__(self) -> str:
        left = f"{duration(self.left_s)} left" if self.left_s is not None else ""
        for_all = f"{duration(self.all_left_s)} for all" if self.all_left_s is not None else ""
        known = ", ".join(part for part in (self.detail, left, for_all) if part)
        return f"{self.activity}: {known}" if known else self.activity


class JobBar:
    """Follows one job after another: how much is sent, restored and fetched."""

    def __init__(
        self,
        show: Callable[[ProgressState], None],
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._show = show
        self.aside = aside
        """Hides the bar while other lines are printed."""
        self.title = ""
        """Names the video in front of every state, where there are several."""
        self.pace: BatchPace | None = None
        """Of several videos."""
        self._began: float | None = None
        show(ProgressState("Starting"))

    def idle(self) -> None:
        """Shows that all videos are done, and more may arrive."""
        self._show(ProgressState("Waiting for videos"))

    def stopping(self) -> None:
        """Shows that the service which was started for this command ends."""
        self._show(ProgressState("Stopping the service"))

    def sent(self, done: int, total: int) -> None:
        """Shows how many bytes of the video have been sent."""
        self._bytes("Sending", done, total)

    def received(self, done: int, total: int) -> None:
        """Shows how many bytes of the result have been fetched."""
        self._bytes("Fetching", done, total)

    def made(self, done: int, total: int) -> None:
        """Shows how many frames were put side by side."""
        frames = f"{done} of {plural(total, 'frame')}"
        self._show(ProgressState(self.title + "Putting upload and result side by side", done, total, frames))

    def frames(self, done: int, total: int) -> None:
        """Shows how many frames were restored on this machine."""
        self._frames("Deblurring", done, total)

    def compared(self, done: int, total: int) -> None:
        """Shows how many frames of two videos were read, at an even pace."""
        self._began = self._began or time.monotonic()
        left_s = (time.monotonic() - self._began) / done * (total - done)
        self._frames("Comparing", done, total, left_s if done > _FEWEST else None)

    def job(self, job: Job) -> None:
        """Shows a job as the service describes it."""
        progress = job.progress
        fetching = progress.stage == "fetching"
        activity = "Waiting in the queue" if job.status == "queued" else "Deblurring"
        self._show(
            ProgressState(
                self.title + ("The service fetches the video" if fetching else activity),
                (progress.bytes_done or 0) if fetching else progress.frames_done,
                (progress.bytes_total if fetching else progress.frames_total) or None,
                frame_progress(progress),
                None if job.finished else progress.eta_s,
                self.pace.left_s(progress.fraction) if self.pace else None,
            )
        )

    def _frames(self, activity: str, done: int, total: int, left_s: float | None = None) -> None:
        detail = f"{done} of {plural(total, 'frame')}"
        self._show(ProgressState(self.title + activity, done, total, detail, left_s))

    def _bytes(self, activity: str, done: int, total: int) -> None:
        detail = f"{data_size(done)} of {data_size(total)}"
        self._show(ProgressState(self.title + activity, done, total or None, detail))


class ProgressLog:
    """Writes progress for logs: a line when an activity begins, and now and then while it lasts."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._next: dict[str, float] = {}
        """When each activity is written again; those of several videos take turns."""

    def show(self, state: ProgressState) -> None:
        """Writes the state unless the same activity was written less than ``LINES_EVERY_S`` ago."""
        now = self._clock()
        self._next = {activity: due for activity, due in self._next.items() if now < due}
        if state.activity not in self._next:
            self._next[state.activity] = now + LINES_EVERY_S
            self._write(str(state))


@contextmanager
def job_bar(*, quiet: bool = False) -> Iterator[JobBar]:
    """Shows a live bar on stderr, or plain lines where that is no terminal; with ``quiet``, nothing."""
    console = Console(stderr=True)
    if quiet:
        yield JobBar(lambda _state: None)
    elif not console.is_terminal:
        yield JobBar(ProgressLog(note).show)
    else:
        with _live(console) as bars:
            yield JobBar(_shown_in(bars), lambda: _hidden(bars))


class _TimeLeft(ProgressColumn):
    """Counts the remaining times down between two answers of the service."""

    def render(self, task: Task) -> Text:
        ends = {"left": task.fields["end"], "for all": task.fields["all_end"]}
        now = time.monotonic()
        return Text(
            ", ".join(
                f"{duration(max(0.0, end - now))} {word}" for word, end in ends.items() if end is not None
            )
        )


def _live(console: Console) -> Bars:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),  # names of files may hold brackets
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[detail]}", markup=False),
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
def _hidden(bars: Bars) -> Iterator[None]:
    bars.stop()
    try:
        yield
    finally:
        bars.start()


def _shown_in(bars: Bars) -> Callable[[ProgressState], None]:
    task = bars.add_task("", total=None, detail="", end=None, all_end=None)

    def show(state: ProgressState) -> None:
        now = time.monotonic()
        end = None if state.left_s is None else now + state.left_s
        all_end = None if state.all_left_s is None else now + state.all_left_s
        bars.update(
            task,
            description=state.activity,
            completed=state.done,
            total=state.total,
            detail=state.detail,
            end=end,
            all_end=all_end,
        )

    return show
