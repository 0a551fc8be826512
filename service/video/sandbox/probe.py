"""Probes an upload without trusting it: a child process with hard limits parses the file.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from service.encoding.choice import Asked
from service.errors.upload import EmptyUpload
from service.types import Excerpt, RemoteFile, VideoInfo
from service.video.sandbox.child import run_child
from service.video.sandbox.probe_protocol import (
    ProbeLimits,
    ProbeRequest,
    info_from_json,
    limits_to_json,
    request_to_json,
)

__all__ = ["ProbeLimits", "probe"]

USUAL = Asked()


async def probe(
    media: Path | RemoteFile,
    limits: ProbeLimits,
    excerpt: Excerpt | None = None,
    asked: Asked = USUAL,
) -> VideoInfo:
    """Describes the video in ``media``, or its part ``excerpt``, and checks that it is within ``limits``.

    Its findings are those of a result with what was ``asked`` for.

    Raises EmptyUpload, NotAVideo, NoVideoStream, DamagedVideo, FrameSizeRejected, VideoTooLong, ExcerptEmpty,
    ProbeTimeout, and StorageUnavailable for a remote file.
    The child process is gone when this returns, raises or is canceled.
    """
    upload = await asyncio.to_thread(_existing, media)
    answer = await run_child(
        "service.video.sandbox.probe_child",
        limits_to_json(limits),
        request_to_json(ProbeRequest(upload, excerpt, asked)),
        limits.timeout_s,
    )
    return info_from_json(answer.decode())


def _existing(media: Path | RemoteFile) -> Path | RemoteFile:
    """Returns the file under its absolute path. Raises EmptyUpload."""
    if (media.stat().st_size if isinstance(media, Path) else media.bytes) == 0:
        raise EmptyUpload("The upload is empty. Send a video file.")
    return media.resolve() if isinstance(media, Path) else media
