"""``cdvd submit | status | list | cancel | result``: thin commands over the client."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.cli.console import JobBar, job_bar, job_detail, say, say_json, status_text, summary
from service.client import Client, Job
from service.errors import PipelineError, ServiceError

PIPE_WIDTH = 500
"""Columns of a table that no terminal shows: programs get each job on one line."""


def submit(source: Path, *, model: str | None, url: str, as_json: bool) -> None:
    options = {"model": model} if model else {}
    with Client(url) as client, job_bar(quiet=as_json) as bar:
        job = client.submit(source, options=options, on_sent=bar.sent)
    say_json(asdict(job)) if as_json else say(job.id)


def status(job_id: str, *, url: str, as_json: bool) -> None:
    with Client(url) as client:
        job = client.job(job_id)
    say_json(asdict(job)) if as_json else say(_line(job))


def list_jobs(limit: int, *, url: str, as_json: bool) -> None:
    with Client(url) as client:
        jobs = list(islice(client.jobs(page_size=min(limit, 100)), limit))
    if as_json:
        say_json([asdict(job) for job in jobs])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Job", no_wrap=True, min_width=len(jobs[0].id) if jobs else None)
    table.add_column("Status", no_wrap=True)
    table.add_column("Video", overflow="fold")
    table.add_column("Progress")
    for job in jobs:
        table.add_row(
            job.id, status_text(job.status), job.input.filename if job.input else "", job_detail(job)
        )
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def cancel(job_id: str, *, url: str) -> None:
    with Client(url) as client:
        client.cancel(job_id)
    say(f"{job_id}: cancel was asked for")


def result(job_id: str, output: Path | None, *, url: str) -> None:
    with Client(url) as client, job_bar() as bar:
        job = client.job(job_id)
        output = output or _default_output(job)
        job = follow(client, job, output, bar)
    summary(job, output, as_json=False)


def follow(client: Client, job: Job, output: Path, bar: JobBar) -> Job:
    """Wait for ``job`` and fetch its result; raise ServiceError if it ends without one."""
    job = client.wait(job.id, on_change=bar.job)
    if job.status != "succeeded":
        raise _failure(job)
    client.download(job.id, output, on_received=bar.received)
    return job


def _default_output(job: Job) -> Path:
    """In the current folder; only the last part of the name, which another machine chose."""
    stem = Path(job.input.filename).stem if job.input else ""
    return Path(f"{stem or job.id}_deblurred.mp4")


def _line(job: Job) -> str:
    reason = job.error.detail or job.error.title if job.error else ""
    return ": ".join(part for part in (job.status, job_detail(job), reason) if part)


def _failure(job: Job) -> ServiceError:
    reason = (job.error.detail or job.error.title) if job.error else f"the job was {job.status}"
    return PipelineError(reason)
