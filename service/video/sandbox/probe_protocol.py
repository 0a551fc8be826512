"""The messages between the probe and its child process, as JSON: limits and a request there, a description back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from service.types import MIN_SIDE, ColorTags, Excerpt, RemoteFile, VideoInfo
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
    memory: int = 2 * GIB
    """Bytes of address space of the child process."""


def limits_to_json(limits: ProbeLimits) -> str:
    """Returns the first argument of the child."""
    return json.dumps(asdict(limits))


def limits_from_json(text: str) -> ProbeLimits:
    """Reads the first argument of the child."""
    return ProbeLimits(**json.loads(text))


def request_to_json(media: Path | RemoteFile, excerpt: Excerpt | None) -> str:
    """Returns the child's standard input: a file, and the part of it that is meant."""
    file = {"path": str(media)} if isinstance(media, Path) else asdict(media)
    return json.dumps({"file": file, "excerpt": asdict(excerpt) if excerpt else None})


def request_from_json(text: str) -> tuple[Path | RemoteFile, Excerpt | None]:
    """Reads the child's standard input."""
    request = json.loads(text)
    file, excerpt = request["file"], request["excerpt"]
    media = Path(file["path"]) if "path" in file else RemoteFile(**file)
    return media, Excerpt(**excerpt) if excerpt else None


def info_to_json(info: VideoInfo) -> str:
    """Returns the answer of a child that found a video within the limits.

    Raises ValueError for a figure that is not a number.
    """
    return json.dumps({"info": asdict(info)}, allow_nan=False)


def info_from_json(text: str) -> VideoInfo:
    """Reads the child's answer. Raises the error that it names."""
    fields = read_answer(text)["info"]
    return VideoInfo(
        **{
            **fields,
            "color": ColorTags(**fields["color"]),
            "audio": tuple(fields["audio"]),
            "subtitles": tuple(fields["subtitles"]),
            "excerpt": Excerpt(**fields["excerpt"]) if fields["excerpt"] else None,
        }
    )
