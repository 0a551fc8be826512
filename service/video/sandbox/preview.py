"""Single frames of videos as JPEG, decoded in a child process with hard limits.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from service.types import Excerpt
from service.video.sandbox.child import run_child
from service.video.sandbox.probe_protocol import GIB, read_verdict

JPEG = b"\xff\xd8"
"""How a JPEG file begins."""


@dataclass(frozen=True)
class Shot:
    """One frame of a video, by its number in order of presentation."""

    path: Path
    frame: int
    excerpt: Excerpt | None = None
    """The part of the video that ``frame`` counts in."""


@dataclass(frozen=True)
class StillLimits:
    """What a preview may be, and what making it may cost."""

    side: int = 1280
    """The longer side of each frame at most, in pixels."""
    timeout_s: float = 30.0
    """Wall clock and CPU seconds of the child process."""
    memory: int = 2 * GIB
    """Bytes of address space of the child process."""


async def preview(shots: Sequence[Shot], limits: StillLimits) -> bytes:
    """The frames beside each other, as JPEG. Raises DamagedVideo and ProbeTimeout."""
    answer = await run_child(
        "service.video.sandbox.preview_child",
        json.dumps(asdict(limits)),
        _shots_to_json(shots),
        limits.timeout_s,
    )
    if not answer.startswith(JPEG):
        read_verdict(answer.decode())
        raise RuntimeError("a preview that is neither a picture nor a refusal")
    return answer


def limits_from_json(text: str) -> StillLimits:
    return StillLimits(**json.loads(text))


def shots_from_json(text: str) -> tuple[Shot, ...]:
    return tuple(
        Shot(Path(path), frame, Excerpt(**excerpt) if excerpt else None)
        for path, frame, excerpt in json.loads(text)
    )


def _shots_to_json(shots: Sequence[Shot]) -> str:
    return json.dumps(
        [
            (str(shot.path.resolve()), shot.frame, asdict(shot.excerpt) if shot.excerpt else None)
            for shot in shots
        ]
    )
