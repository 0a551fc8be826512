"""Finds out when the frames of a job appear; a child process with hard limits reads the file.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from service.types import Excerpt
from service.video.sandbox.child import GIB, run_child
from service.video.sandbox.refusals import read_answer


@dataclass(frozen=True)
class FrameTimesLimits:
    """What reading the times may use."""

    timeout_s: float = 30.0
    """Wall clock and CPU seconds of the child process."""
    memory: int = 2 * GIB
    """Bytes of address space of the child process."""


@dataclass(frozen=True)
class FrameTimes:
    """When each frame appears, in seconds and in order of presentation."""

    source: tuple[float, ...]
    """By the clock of the source, whose zero is where a player begins."""
    result: tuple[float, ...]
    """By the clock of the result."""


async def frame_times(path: Path, excerpt: Excerpt | None, limits: FrameTimesLimits) -> FrameTimes:
    """Reads the times of all frames of a video, or of its part ``excerpt``, from its packets.

    Raises NotAVideo, NoVideoStream, DamagedVideo, ExcerptEmpty and ProbeTimeout.
    """
    answer = await run_child(
        "service.video.sandbox.frame_times_child",
        json.dumps(asdict(limits)),
        _request_to_json(path, excerpt),
        limits.timeout_s,
    )
    return _from_fields(read_answer(answer.decode()))


def _request_to_json(path: Path, excerpt: Excerpt | None) -> str:
    return json.dumps({"path": str(path.resolve()), "excerpt": asdict(excerpt) if excerpt else None})


def limits_from_json(text: str) -> FrameTimesLimits:
    """Reads the first argument of the child."""
    return FrameTimesLimits(**json.loads(text))


def request_from_json(text: str) -> tuple[Path, Excerpt | None]:
    """Reads the child's standard input: a file, and the part of it that is meant."""
    request = json.loads(text)
    return Path(request["path"]), Excerpt(**request["excerpt"]) if request["excerpt"] else None


def times_to_json(times: FrameTimes) -> str:
    """Returns the answer of the child. Raises ValueError for a time that is no number."""
    return json.dumps(asdict(times), allow_nan=False)


def times_from_json(text: str) -> FrameTimes:
    """Reads what ``times_to_json`` wrote."""
    return _from_fields(json.loads(text))


def _from_fields(fields: dict[str, list[float]]) -> FrameTimes:
    return FrameTimes(tuple(fields["source"]), tuple(fields["result"]))
