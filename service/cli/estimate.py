"""``cdvd estimate``: what a video would take, without sending it anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import typer

from service.cli.console import duration, mebibytes, say, say_json
from service.client import Client, Description, Estimate
from service.config import Settings
from service.video.sandbox.probe import ProbeLimits, probe


def describe(video: Path, model: str | None) -> Description:
    """Looked at here, in a child process. Raises EmptyUpload and VideoError's kinds."""
    settings = Settings()
    limits = ProbeLimits(
        max_pixels=settings.max_frame_pixels,
        max_duration_s=settings.max_duration_s,
        max_frames=settings.max_frames,
        timeout_s=settings.probe_timeout_s,
    )
    found = asyncio.run(probe(video, limits))
    return Description(found.width, found.height, found.frames, bytes=video.stat().st_size, model=model)


def described(size: str, frames: int, model: str | None) -> Description:
    """``size`` is such as ``1280x720``. Raises BadParameter."""
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"{size!r} is not such as 1280x720", param_hint="'--size'")
    return Description(int(width), int(height), frames, model=model)


def estimate(video: Description, url: str, *, as_json: bool) -> None:
    with Client(url) as client:
        found = client.estimate(video)
    say_json(asdict(found)) if as_json else _print(found)


def _print(found: Estimate) -> None:
    say(f"{found.frames} frames with {found.model}")
    if found.seconds is None:
        say("Time: unknown, for this service has measured no job with this model yet")
    else:
        waiting = f", of which {duration(found.waiting_s)} in the queue" if found.waiting_s else ""
        say(f"Time: {duration(found.seconds)}{waiting}")
    if found.memory_bytes is not None:
        say(f"Memory of a worker: {mebibytes(found.memory_bytes)}")
    if found.disk_bytes is not None:
        say(f"Disk: up to {mebibytes(found.disk_bytes)}")
