"""Looking at an upload without trusting it: the parsing happens in a child process with hard limits.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from signal import SIGALRM, SIGXCPU
from typing import NoReturn

from service.errors import DamagedVideo, EmptyUpload, ProbeTimeout
from service.types import RemoteFile, VideoInfo
from service.video.verdict import ProbeLimits, limits_to_json, media_to_json, read_verdict

__all__ = ["ProbeLimits", "probe"]

_PACKAGES = Path(__file__).parents[2]
"""Where the package ``service`` lies: the child's working directory, so that it finds the same code."""

_COMPLAINT = 2000
"""Characters of a traceback that are worth keeping."""


async def probe(media: Path | RemoteFile, limits: ProbeLimits) -> VideoInfo:
    """Find out what video ``media`` holds and whether it is within ``limits``.

    Raises EmptyUpload, NotAVideo, NoVideoStream, DamagedVideo, FrameSizeRejected, VideoTooLong, ProbeTimeout,
    and StorageUnavailable for a remote file.
    The child process is gone when this returns, raises or is canceled.
    """
    upload = await asyncio.to_thread(_existing, media)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.video.inspect", limits_to_json(limits)),
        cwd=_PACKAGES,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        answer, complaint = await asyncio.wait_for(
            child.communicate(media_to_json(upload).encode()), limits.timeout_s
        )
    except TimeoutError:
        raise _took_too_long(limits) from None
    finally:
        await _end(child)
    if child.returncode:
        _explain(-child.returncode, complaint, limits)
    return read_verdict(answer.decode())


def _existing(media: Path | RemoteFile) -> Path | RemoteFile:
    if (media.stat().st_size if isinstance(media, Path) else media.bytes) == 0:
        raise EmptyUpload("The upload is empty. Send a video file.")
    return media.resolve() if isinstance(media, Path) else media


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _explain(signal: int, complaint: bytes, limits: ProbeLimits) -> NoReturn:
    """Raise what the death of the child means; a negative ``signal`` is an exit status of its own."""
    if signal in (SIGALRM, SIGXCPU):
        raise _took_too_long(limits)
    if signal > 0:
        raise DamagedVideo("The file makes the decoder crash; it is damaged or made to do so.")
    raise RuntimeError(f"the probe failed by itself: {complaint.decode(errors='replace')[-_COMPLAINT:]}")


def _took_too_long(limits: ProbeLimits) -> ProbeTimeout:
    return ProbeTimeout(f"Looking at the file took longer than the {limits.timeout_s:g} s that are allowed.")
