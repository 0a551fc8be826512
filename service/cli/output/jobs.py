"""Prints jobs, tables of jobs and fidelity reports for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from service.cli.output import tables
from service.cli.output.findings import print_findings, print_table
from service.cli.output.lines import note, say
from service.cli.output.units import data_size, duration, local_time
from service.client import Job, Progress
from service.text import plural

_STATUS_STYLES = {"succeeded": "green", "running": "cyan", "failed": "red", "canceled": "yellow"}


def frame_progress(progress: Progress) -> str:
    """Returns ``12 of 48 frames, 3.1 frames/s``, as far as it is known; ``1.2 MiB of 4.0 MiB fetched`` before that."""
    if progress.bytes_done is not None:
        return f"{_fetched(progress.bytes_done, progress.bytes_total)} fetched"
    total = plural(progress.frames_total, "frame")
    parts = [f"{progress.frames_done} of {total}"] if progress.frames_total else []
    if progress.frames_per_second:
        parts.append(f"{progress.frames_per_second:.2g} frames/s")
    if progress.stage == "waiting_for_space":
        parts.append("waits for space on the disk of the service")
    return ", ".join(parts)


def _fetched(done: int, total: int | None) -> str:
    return data_size(done) if total is None else f"{data_size(done)} of {data_size(total)}"


def job_progress(job: Job) -> str:
    """Returns ``12 of 48 frames, 3.1 frames/s, 0:11 left``, as far as it is known."""
    left = job.progress.eta_s if not job.finished else None
    parts = (frame_progress(job.progress), f"{duration(left)} left" if left is not None else "")
    return ", ".join(part for part in parts if part)


def job_line(job: Job) -> str:
    """Returns a job's status, its progress and why it failed, as far as there is any."""
    reason = job.error.detail or job.error.title if job.error else ""
    return ": ".join(part for part in (job.status, job_progress(job), reason) if part)


def print_result(job: Job, output: Path) -> None:
    """Prints the lines about a job whose result is in ``output`` now: what it is, what it kept and what not."""
    frames = job.output.frames if job.output else job.progress.frames_total
    say(f"Wrote {output}: {plural(frames, 'frame')}, {data_size(output.stat().st_size)}.")
    print_findings(job.findings)


def print_jobs(jobs: list[Job]) -> None:
    """Prints a table of jobs, one a line."""
    if not jobs:
        note("There are no jobs.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Job", no_wrap=True, min_width=len(jobs[0].id))
    table.add_column("Made", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Video", overflow="fold")
    table.add_column("Progress")
    for job in jobs:
        made, status = local_time(job.created_at), _status_text(job.status)
        table.add_row(job.id, made, status, job.filename, job_progress(job))
    tables.print_table(table)


def print_report(report: Mapping[str, Any], indent: str = "") -> None:
    """Prints every entry on a line of its own, and indents what is made of entries; findings are a table at the end."""
    for name, value in report.items():
        if name == "findings":
            continue
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, Mapping):
            say(label)
            print_report(value, f"{indent}  ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for entry in value:
                say(label)
                print_report(entry, f"{indent}  ")
        else:
            say(f"{label} {', '.join(map(str, value)) or 'nothing' if isinstance(value, list) else value}")


def print_report_table(report: Mapping[str, Any]) -> None:
    """Prints what a result kept and what not."""
    if report.get("findings"):
        print_table(report["findings"])


def _status_text(status: str) -> Text:
    return Text(status, style=_STATUS_STYLES.get(status, ""))
