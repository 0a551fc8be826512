"""The messages between the probe and its child process, as JSON: limits and a request there, a description back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from service.encoding.choice import Asked
from service.types import MIN_SIDE, Excerpt, RemoteFile, VideoInfo
from service.video.sandbox.child import GIB
from service.video.sandbox.refusals import read_answer


@dataclass(frozen=True)
class ProbeLimits:
    """What a video may be, and what the probe may use."""

    max_pixels: int
    """Width times height."""
    max_duration_s: float
    max_frames: int
    min_side: int = MIN_SIDE
    timeout_s: float = 30.0
    """Wall clock and CPU seconds of the child process."""
    memory: int = GIB
    """Bytes of address space of the child process: enough for sixteen frames of 4096x2304 in 10 bits, and libraries."""


_INFO = TypeAdapter(VideoInfo)


def limits_to_json(limits: ProbeLimits) -> str:
    """Returns the first argument of the child."""
    return json.dumps(asdict(limits))


def limits_from_json(text: str) -> ProbeLimits:
    """Reads the first argument of the child."""
    return ProbeLimits(**json.loads(text))


@dataclass(frozen=True)
class ProbeRequest:
    """A file, the part of it that is meant, and how its result is to be encoded."""

    media: Path | RemoteFile
    excerpt: Excerpt | None
    asked: Asked


_REQUEST = TypeAdapter(ProbeRequest)


def request_to_json(request: ProbeRequest) -> str:
    """Returns the child's standard input."""
    return _REQUEST.dump_json(request).decode()


def request_from_json(text: str) -> ProbeRequest:
    """Reads the child's standard input."""
    return _REQUEST.validate_json(text)


def info_to_json(info: VideoInfo) -> str:
    """Returns the answer of a child that found a video within the limits.

    Raises ValueError for a figure that is not a number.
    """
    return json.dumps({"info": asdict(info)}, allow_nan=False)


def info_from_json(text: str) -> VideoInfo:
    """Reads the child's answer. Raises the error that it names."""
    return _INFO.validate_python(read_answer(text)["info"])
