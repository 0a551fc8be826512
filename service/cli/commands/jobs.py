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
    Fps,
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
    completed_job_ids,
    form_fields,
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
    from_job: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="JOB",
            help="Instead of IN: the video of another job, which the service has.",
            autocompletion=completed_job_ids,
        ),
    ] = None,
    fps: Fps = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """Send a video, or those of a list, and print ids of jobs without waiting.

    A large upload resumes when the connection breaks; after an interruption the same command goes on and makes no
    second job. A video at an address is fetched by the service; --set output_url=URL has it send the result with a PUT.
    """
    if sum(given is not None for given in (source, jobs_file, from_job)) != 1:
        raise typer.BadParameter("Give one of IN, --jobs-file and --from.", param_hint="IN")
    if jobs_file and once:
        raise typer.BadParameter(
            "A list has no key; its videos have their own.", param_hint="'--idempotency-key'"
        )

    chosen = {"quality": quality, "model": model, "looks": looks, "codec": codec, "start": start, "end": end}
    fields = form_fields({**chosen, "strict": "true" if strict else None}, more)
    from service.cli.actions.submit import Parcel, submit_all, submit_one
    from service.cli.batch.pictures import checked_rate
    from service.cli.batch.sources import SentBefore

    rate = checked_rate(fps)
    if jobs_file:
        from service.cli.batch.jobs_file import jobs_to_send

        parcels = [Parcel(video, asked) for video, asked in jobs_to_send(jobs_file, fields, rate)]
        raise typer.Exit(submit_all(parcels, url, as_json=as_json))
    if from_job:
        submit_one(Parcel(SentBefore(from_job), fields), url, once, as_json=as_json)
    elif source:
        from service.cli.batch.finding import one_video

        submit_one(Parcel(one_video(source, rate), fields), url, once, as_json=as_json)


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
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Fetch upload and result beside each other in one video.")
    ] = False,
    timeout: Timeout = None,
    url: Url = DEFAULT_URL,
    as_json: JsonFlag = False,
) -> None:
    """Wait for a job and fetch its video; a broken download resumes, also with the next call."""
    from service.cli.actions.jobs import JobActions

    actions = JobActions(url, as_json)
    if side_by_side and partial:
        raise typer.BadParameter(
            "The beginning alone is not shown side by side.", param_hint="'--side-by-side'"
        )
    output = writable_output(output or actions.default_output(job, side_by_side=side_by_side), force=force)
    if side_by_side:
        actions.side_by_side(job, output, timeout)
    else:
        actions.result(job, output, timeout, partial=partial)


@commands.command(rich_help_panel=PANEL)
def report(job: JobId, url: Url = DEFAULT_URL, as_json: JsonFlag = False) -> None:
    """Tell what a result kept of its video, what it lost, and how it was made."""
    from service.cli.actions.jobs import JobActions

    JobActions(url, as_json).report(job)
