"""What the commands about jobs of a running service do: thin over the client."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from service.cli.console import (
    JobBar,
    job_bar,
    job_detail,
    note,
    say,
    say_json,
    say_json_line,
    status_text,
    wrote,
)
from service.client import Client, Job
from service.errors.base import ServiceError
from service.errors.pipeline import PipelineError

PIPE_WIDTH = 500
"""Columns of a table that no terminal shows: programs get each job on one line."""


@dataclass(frozen=True)
class Service:
    """A running service, and how to tell what it says."""

    url: str
    as_json: bool = False

    def submit(self, source: Path, fields: Mapping[str, str], idempotency_key: str | None) -> None:
        with Client(self.url) as client, job_bar(quiet=self.as_json) as bar:
            job = client.submit(source, options=fields, on_sent=bar.sent, idempotency_key=idempotency_key)
        self._say(job, job.id)

    def status(self, job_id: str) -> None:
        with Client(self.url) as client:
            job = client.job(job_id)
        self._say(job, line(job))

    def watch(self, job_id: str, timeout_s: float | None) -> None:
        """Raises PipelineError when the job ends without a result, WaitTimedOut."""
        with Client(self.url) as client, job_bar(quiet=self.as_json) as bar:

            def show(job: Job) -> None:
                bar.job(job)
                if self.as_json:
                    say_json_line(asdict(job))

            job = client.wait(job_id, on_change=show, timeout_s=timeout_s)
        if not self.as_json:
            say(line(job))
        if job.status != "succeeded":
            raise failure(job)

    def list_jobs(self, limit: int, status: str | None) -> None:
        with Client(self.url) as client:
            jobs = list(islice(client.jobs(status=status, page_size=min(limit, 100)), limit))
        say_json([asdict(job) for job in jobs]) if self.as_json else _print_table(jobs)

    def cancel(self, job_id: str) -> None:
        with Client(self.url) as client:
            job = client.cancel(job_id)
        self._say(job, f"{job_id}: cancel was asked for")

    def retry(self, job_id: str) -> None:
        with Client(self.url) as client:
            job = client.retry(job_id)
        self._say(job, f"{job_id}: goes on from {job_detail(job) or 'its beginning'}")

    def delete(self, job_id: str) -> None:
        with Client(self.url) as client:
            client.delete(job_id)
        say_json({"deleted": job_id}) if self.as_json else say(f"{job_id}: deleted")

    def result(self, job_id: str, output: Path, timeout_s: float | None, *, partial: bool) -> None:
        """Wait for the job and fetch its video, with ``partial`` also the beginning that a canceled one left.

        Raises PipelineError when there will be none, WaitTimedOut.
        """
        with Client(self.url) as client, job_bar(quiet=self.as_json) as bar:
            job = client.wait(job_id, on_change=bar.job, timeout_s=timeout_s)
            fetch(client, job, output, bar, partial=partial)
        say_json({"output": str(output), "job": asdict(job)}) if self.as_json else wrote(job, output)

    def default_output(self, job_id: str) -> Path:
        """In the current folder; only the last part of the name, which another machine chose."""
        with Client(self.url) as client:
            job = client.job(job_id)
        stem = Path(job.input.filename).stem if job.input else ""
        return Path(f"{stem or job.id}_deblurred.mp4")

    def report(self, job_id: str) -> None:
        with Client(self.url) as client:
            report = client.report(job_id)
        say_json(report) if self.as_json else _print_report(report)

    def _say(self, job: Job, text: str) -> None:
        say_json(asdict(job)) if self.as_json else say(text)


def fetch(
    client: Client, job: Job, output: Path, bar: JobBar, *, partial: bool = False, keep_part: bool = True
) -> None:
    """Fetch the result of a job that has ended; raise PipelineError if it has none."""
    left = job.output is not None and job.output.partial
    if job.status != "succeeded" and not (partial and left):
        more = "; --partial fetches its beginning, which is restored" if left else ""
        raise PipelineError(f"{failure(job)}{more}")
    client.download(job.id, output, on_received=bar.received, keep_part=keep_part)


def line(job: Job) -> str:
    reason = job.error.detail or job.error.title if job.error else ""
    return ": ".join(part for part in (job.status, job_detail(job), reason) if part)


def failure(job: Job) -> ServiceError:
    reason = (job.error.detail or job.error.title) if job.error else f"the job was {job.status}"
    return PipelineError(reason)


def _print_table(jobs: list[Job]) -> None:
    if not jobs:
        note("No jobs.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Job", no_wrap=True, min_width=len(jobs[0].id))
    table.add_column("Status", no_wrap=True)
    table.add_column("Video", overflow="fold")
    table.add_column("Progress")
    for job in jobs:
        name = job.input.filename if job.input else ""
        table.add_row(job.id, status_text(job.status), name, job_detail(job))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _print_report(report: Mapping[str, Any], indent: str = "") -> None:
    """Every entry on a line of its own; what is made of entries is indented."""
    for name, value in report.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            say(label)
            _print_report(value, f"{indent}  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for entry in value:
                say(label)
                _print_report(entry, f"{indent}  ")
        else:
            say(f"{label} {', '.join(map(str, value)) or 'nothing' if isinstance(value, list) else value}")
