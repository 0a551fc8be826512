"""The commands about jobs of a running service: submit, status, watch, list, cancel, retry, delete, result, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import (
    DEFAULT_URL,
    CodecChoice,
    End,
    Fields,
    Force,
    JobId,
    JobsFile,
    JsonFlag,
    LooksCount,
    ModelName,
    QualityName,
    Start,
    Strict,
    Timeout,
    Url,
    VideoOrUrl,
    form_fields,
    is_url,
    job_options,
    writable_output,
)

PANEL = "Jobs of a running service"

commands = typer.Typer()


@commands.command(rich_help_panel=PANEL)
def submit(  # noqa: PLR0913  # one parameter per option
    source: VideoOrUrl = None,
    quality: QualityName = None,
    model: ModelName = None,
    looks: LooksCount = None,
    codec: CodecChoice = None,
    start: Start = None,
    end: End = None,
    strict: Strict = False,
    more: Fields = None,
    once: Annotated[
        str | None,
        typer.Option("--idempotency-key", help="Calls with the same key and video make one job."),
    ] = None,
    jobs_file: JobsFile = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """Send a video, or those of a list, and print ids of jobs without waiting.

    A large upload resumes when the connection breaks, and with the same command after an interruption. A video at an
    address is fetched by the service; --set output_url=URL has it send the result with a PUT.
    """
    if (source is None) == (jobs_file is None) or (jobs_file and once):
        raise typer.BadParameter("Give either IN, with or without a key, or --jobs-file.", param_hint="IN")

    chosen = {"quality": quality, "model": model, "looks": looks, "codec": codec, "start": start, "end": end}
    fields = form_fields({**chosen, "strict": "true" if strict else None}, more)
    from service.cli.actions.submit import Parcel, submit_address, submit_all, submit_one

    if source and is_url(source):
        submit_address(source, job_options(fields), url, once, as_json=as_json)
    elif source:
        submit_one(Parcel(Path(source), fields), url, once, as_json=as_json)
    elif jobs_file:
        from service.cli.batch.jobs_file import jobs_to_send

        parcels = [Parcel(line.input, line.fields) for line in jobs_to_send(jobs_file, fields)]
        raise typer.Exit(submit_all(parcels, url, as_json=as_json))


@commands.command(rich_help_panel=PANEL)
def status(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Tell how far a job is."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).status(job)


@commands.command(rich_help_panel=PANEL)
def watch(job: JobId, timeout: Timeout = None, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Show a job's progress until it ends; exits 1 unless it succeeds. With --json, a line per change."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).watch(job, timeout)


@commands.command("list", rich_help_panel=PANEL)
def list_jobs(
    limit: Annotated[int, typer.Option(help="Most jobs to list, newest first.", min=1)] = 20,
    status: Annotated[
        str | None,
        typer.Option(help="List only jobs that are queued, running, succeeded, failed or canceled."),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """List jobs."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).list_jobs(limit, status)


@commands.command(rich_help_panel=PANEL)
def cancel(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Stop a job; the part that is restored already is kept."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).cancel(job)


@commands.command(rich_help_panel=PANEL)
def retry(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Go on with a failed or canceled job."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).retry(job)


@commands.command(rich_help_panel=PANEL)
def delete(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Remove a job and all of its files."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).delete(job)


@commands.command(rich_help_panel=PANEL)
def result(  # noqa: PLR0913  # one parameter per option
    job: JobId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Without it, the upload's name with _deblurred."),
    ] = None,
    force: Force = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Fetch also the beginning that a canceled job left.")
    ] = False,
    timeout: Timeout = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """Wait for a job and fetch its video; a broken download resumes, also with the next call."""
    from service.cli.actions.jobs import JobActions

    actions = JobActions(url, as_json)
    output = writable_output(output or actions.default_output(job), force=force)
    actions.result(job, output, timeout, partial=partial)


@commands.command(rich_help_panel=PANEL)
def report(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Tell what a result kept of its video, what it lost, and how it was made."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).report(job)
