"""Prints what a video would take, without sending it anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import typer

from service.cli.output.lines import say, say_json
from service.cli.output.units import data_size, duration
from service.client import Client, Description, Estimate
from service.config import Settings
from service.text import plural
from service.video.sandbox.probe import ProbeLimits, probe


def describe_file(video: Path) -> Description:
    """Probes a video on this machine, in a child process. Raises EmptyUpload and the kinds of VideoError."""
    settings = Settings()
    limits = ProbeLimits(
        max_pixels=settings.max_frame_pixels,
        max_duration_s=settings.max_duration_s,
        max_frames=settings.max_frames,
        timeout_s=settings.probe_timeout_s,
    )
    info = asyncio.run(probe(video, limits))
    return Description(info.width, info.height, info.frames, bytes=video.stat().st_size)


def describe_size(size: str, frames: int) -> Description:
    """Returns a video of ``frames`` frames of a size such as ``1280x720``. Raises BadParameter."""
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{size!r} is not a size such as 1280x720.", param_hint="'--size'")
    return Description(int(width), int(height), frames)


def print_estimate(video: Description, url: str, *, as_json: bool) -> None:
    """Asks the service at ``url`` what the video would take, and prints its answer."""
    with Client(url) as client:
        estimate = client.estimate(video)
    say_json(asdict(estimate)) if as_json else _print(estimate)


def _print(estimate: Estimate) -> None:
    looks = f", {estimate.looks} looks" if estimate.looks > 1 else ""
    say(f"{plural(estimate.frames, 'frame')} with {estimate.model}{looks}")
    if estimate.seconds is None:
        say("Time: unknown, because this service has not measured a job with this model yet")
    else:
        waiting = f", of which {duration(estimate.waiting_s)} in the queue" if estimate.waiting_s else ""
        say(f"Time: {duration(estimate.seconds)}{waiting}")
    if estimate.memory_bytes is not None:
        say(f"Memory of a worker: {data_size(estimate.memory_bytes)}")
    if estimate.disk_bytes is not None:
        say(f"Disk: up to {data_size(estimate.disk_bytes)}")
