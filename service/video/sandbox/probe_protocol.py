"""What passes between the probe and its child process: limits one way, a verdict the other, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.errors.base import ServiceError
from service.errors.storage import StorageUnavailable
from service.errors.upload import EmptyUpload
from service.errors.video import (
    DamagedVideo,
    ExcerptEmpty,
    FrameSizeRejected,
    NotAVideo,
    NoVideoStream,
    ProbeTimeout,
    VideoTooLong,
)
from service.types import MIN_SIDE, ColorTags, Excerpt, RemoteFile, VideoInfo

GIB = 1 << 30

_REFUSALS: dict[str, type[ServiceError]] = {
    kind.code: kind
    for kind in (
        EmptyUpload,
        NotAVideo,
        NoVideoStream,
        DamagedVideo,
        FrameSizeRejected,
        VideoTooLong,
        ExcerptEmpty,
        ProbeTimeout,
        StorageUnavailable,
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


def question_to_json(media: Path | RemoteFile, excerpt: Excerpt | None) -> str:
    file = {"path": str(media)} if isinstance(media, Path) else asdict(media)
    return json.dumps({"file": file, "excerpt": asdict(excerpt) if excerpt else None})


def question_from_json(text: str) -> tuple[Path | RemoteFile, Excerpt | None]:
    asked = json.loads(text)
    file, excerpt = asked["file"], asked["excerpt"]
    media = Path(file["path"]) if "path" in file else RemoteFile(**file)
    return media, Excerpt(**excerpt) if excerpt else None


def info_to_json(info: VideoInfo) -> str:
    return json.dumps({"info": asdict(info)})


def refusal_to_json(error: ServiceError) -> str:
    return json.dumps({"code": error.code, "message": str(error)})


def read_verdict(text: str) -> VideoInfo:
    """Return what the child found or raise the error that it named; ValueError for anything else."""
    verdict = json.loads(text)
    if "info" in verdict:
        return _info(verdict["info"])
    raise _REFUSALS.get(verdict["code"], DamagedVideo)(verdict["message"])


def _info(fields: dict[str, Any]) -> VideoInfo:
    return VideoInfo(
        **{
            **fields,
            "color": ColorTags(**fields["color"]),
            "audio": tuple(fields["audio"]),
            "subtitles": tuple(fields["subtitles"]),
            "excerpt": Excerpt(**fields["excerpt"]) if fields["excerpt"] else None,
        }
    )
