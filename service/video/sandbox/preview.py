"""Makes JPEG pictures of single frames, which a child process with hard limits decodes.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from service.types import Excerpt, Interlacing
from service.video.sandbox.child import GIB, run_child
from service.video.sandbox.refusals import read_answer

JPEG = b"\xff\xd8"
"""The first bytes of a JPEG file."""
PNG = b"\x89PNG"
"""The same of a PNG file."""


@dataclass(frozen=True)
class Shot:
    """One frame of a video, by its number in order of presentation."""

    path: Path
    frame: int
    excerpt: Excerpt | None = None
    """The part of the video whose frames ``frame`` counts; None is the whole."""
    deinterlace: Interlacing = "auto"
    """How the frame is shown if it is interlaced: deinterlaced with ``auto``, as it is with all others."""


@dataclass(frozen=True)
class PreviewLimits:
    """What a preview may be, and what making it may use."""

    side: int = 1280
    """The longer side of each frame at most, in pixels."""
    png: bool = False
    """Whether the picture is a PNG, which keeps every pixel."""
    first_lit: bool = False
    """Whether the picture has only the first frame that is not black; the lightest where all are."""
    keyframes: bool = False
    """Whether a keyframe shortly before each frame will do: it is decoded by itself."""
    timeout_s: float = 30.0
    """Wall clock and CPU seconds of the child process."""
    memory: int = 2 * GIB
    """Bytes of address space of the child process."""


async def preview(shots: Sequence[Shot], limits: PreviewLimits) -> bytes:
    """Returns a JPEG, or a PNG, with the frames beside each other. Raises DamagedVideo and ProbeTimeout."""
    answer = await run_child(
        "service.video.sandbox.preview_child",
        json.dumps(asdict(limits)),
        _shots_to_json(shots),
        limits.timeout_s,
    )
    if not answer.startswith((JPEG, PNG)):
        read_answer(answer.decode())
        raise RuntimeError("The child process answered with neither a picture nor a refusal.")
    return answer


def limits_from_json(text: str) -> PreviewLimits:
    """Reads the first argument of the child."""
    return PreviewLimits(**json.loads(text))


def shots_from_json(text: str) -> tuple[Shot, ...]:
    """Reads the child's standard input."""
    return tuple(
        Shot(Path(path), frame, Excerpt(**excerpt) if excerpt else None, deinterlace)
        for path, frame, excerpt, deinterlace in json.loads(text)
    )


def _shots_to_json(shots: Sequence[Shot]) -> str:
    return json.dumps(
        [
            (
                str(shot.path.resolve()),
                shot.frame,
                asdict(shot.excerpt) if shot.excerpt else None,
                shot.deinterlace,
            )
            for shot in shots
        ]
    )
