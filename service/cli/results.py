"""Fetches the results of jobs that have ended."""

from __future__ import annotations

from pathlib import Path

from service.cli.output.progress import JobBar
from service.client import Client, Job
from service.errors.pipeline import PipelineError


def fetch(
    client: Client, job: Job, output: Path, bar: JobBar, *, partial: bool = False, keep_part: bool = True
) -> None:
    """Fetches the result of a job that has ended. Raises PipelineError if it has none."""
    has_beginning = job.output is not None and job.output.partial
    if job.status != "succeeded" and not (partial and has_beginning):
        more = " Its beginning is restored; --partial fetches it." if has_beginning else ""
        raise PipelineError(f"{failure(job)}{more}")
    client.download(job.id, output, on_received=bar.received, keep_part=keep_part)


def failure(job: Job) -> PipelineError:
    """Returns the error of a job that ended without a result."""
    reason = (job.error.detail or job.error.title) if job.error else f"The job was {job.status}."
    return PipelineError(reason)
