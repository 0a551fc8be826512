"""The child process that reads when frames appear.

``python -m service.video.sandbox.frame_times_child LIMITS`` reads which video is meant and prints the times or a
refusal, all of them as JSON.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av

from service.errors.video import DamagedVideo, VideoError
from service.types import Excerpt
from service.video.sandbox.child import restrict
from service.video.sandbox.frame_times import FrameTimes, limits_from_json, request_from_json, times_to_json
from service.video.sandbox.refusals import refusal_to_json, unforeseen
from service.video.source import load_source
from service.video.timing import piece_time_base, result_pts


def main() -> None:
    """Answers the request on standard input."""
    limits = limits_from_json(sys.argv[1])
    path, excerpt = request_from_json(sys.stdin.read())
    restrict(limits.memory, limits.timeout_s)
    try:
        answer = times_to_json(read_times(path, excerpt))
    except VideoError as error:
        answer = refusal_to_json(error)
    except (OSError, av.FFmpegError, MemoryError) as error:
        answer = refusal_to_json(DamagedVideo(f"The times of the frames cannot be read: {error}"))
    except Exception as error:  # noqa: BLE001  # what a file from a stranger can raise is not bounded
        answer = refusal_to_json(unforeseen(error))
    sys.stdout.write(answer)


def read_times(path: Path, excerpt: Excerpt | None = None) -> FrameTimes:
    """Returns when each frame of a video, or of its part ``excerpt``, appears. Raises what ``load_source`` raises."""
    origin = load_source(path).index.origin
    index = load_source(path, excerpt).index
    unit = piece_time_base(index)
    return FrameTimes(
        source=tuple(float((pts - origin) * index.time_base) for pts in index.pts),
        result=tuple(float(result_pts(index, frame) * unit) for frame in range(index.frames)),
    )


if __name__ == "__main__":
    main()
