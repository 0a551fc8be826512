"""Cuts a video into the runs of frames that single tasks restore."""

from __future__ import annotations

from service.types import Segment
from service.window_limits import segment_count


def plan_segments(frames: int, frames_per_segment: int) -> tuple[Segment, ...]:
    """Cuts ``frames`` frames into segments of equal length, give or take one, near ``frames_per_segment``.

    Raises ValueError unless both numbers are positive.
    """
    if frames < 1 or frames_per_segment < 1:
        raise ValueError(
            f"A plan needs at least one frame, and one for each segment, not {frames} and {frames_per_segment}."
        )
    count = segment_count(frames, frames_per_segment)
    bounds = [frames * part // count for part in range(count + 1)]
    return tuple(Segment(part, bounds[part], bounds[part + 1]) for part in range(count))
