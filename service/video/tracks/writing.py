"""Names what was being written when FFmpeg refused, without any path of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import av

from service.errors.pipeline import PipelineError


@contextmanager
def written(what: str) -> Iterator[None]:
    """Raises PipelineError for what fails in this block; ``what`` is the beginning of its sentence."""
    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        raise PipelineError(f"{what} cannot be written: {_reason(error)}.") from error


def _reason(error: av.FFmpegError | ValueError) -> str:
    """Returns FFmpeg's own words: those of its log tell more, unless they name a file."""
    if not isinstance(error, av.FFmpegError):
        return str(error).rstrip(".")
    said = str(error.log[2]).strip().rstrip(".") if error.log and len(error.log) == 3 else ""
    return said if said and "/" not in said else str(error.strerror)
