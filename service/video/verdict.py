"""What passes between the probe and its child process: limits one way, a verdict the other, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service import errors
from service.types import MIN_SIDE, ColorTags, RemoteFile, VideoInfo

GIB = 1 << 30

_REFUSALS: dict[str, type[errors.ServiceError]] = {
    kind.code: kind
    for kind in (
        errors.EmptyUpload,
        errors.NotAVideo,
        errors.NoVideoStream,
        errors.DamagedVideo,
        errors.FrameSizeRejected,
        errors.VideoTooLong,
        errors.ProbeTimeout,
        errors.StorageUnavailable,
    )
}


@dataclass(frozen=True)
class ProbeLimits:
    """What a video may be, and what looking at it may cost."""

    max_pixels: int
    """Width times height."""
    max_duration_s: float
    max_frames: int
    min_side: int = MIN_SIDE
    timeout_s: float = 30.0
    """Wall clock and CPU seconds of the child process."""
    memory: int = 2 * GIB
    """Bytes of address space of the child process."""


def limits_to_json(limits: ProbeLimits) -> str:
    return json.dumps(asdict(limits))


def limits_from_json(text: str) -> ProbeLimits:
    return ProbeLimits(**json.loads(text))


def media_to_json(media: Path | RemoteFile) -> str:
    return json.dumps({"path": str(media)} if isinstance(media, Path) else asdict(media))


def media_from_json(text: str) -> Path | RemoteFile:
    fields = json.loads(text)
    return Path(fields["path"]) if "path" in fields else RemoteFile(**fields)


def info_to_json(info: VideoInfo) -> str:
    return json.dumps({"info": asdict(info)})


def refusal_to_json(error: errors.ServiceError) -> str:
    return json.dumps({"code": error.code, "message": str(error)})


def read_verdict(text: str) -> VideoInfo:
    """Return what the child found or raise the error that it named; ValueError for anything else."""
    verdict = json.loads(text)
    if "info" in verdict:
        return _info(verdict["info"])
    raise _REFUSALS.get(verdict["code"], errors.DamagedVideo)(verdict["message"])


def _info(fields: dict[str, Any]) -> VideoInfo:
    return VideoInfo(
        **{
            **fields,
            "color": ColorTags(**fields["color"]),
            "audio": tuple(fields["audio"]),
            "subtitles": tuple(fields["subtitles"]),
        }
    )
