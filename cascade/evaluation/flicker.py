"""Flicker: how much the error of a restored video changes from frame to frame along the motion.

With the error e(t) = frame(t) - truth(t) in levels and the flow f from the truth at t to the truth at t + 1, it is the
root mean square of e(t + 1)(x + f(x)) - e(t)(x) over pixels, channels and pairs of frames. An error that moves with
the scene does not flicker, and the truth flickers by 0.

Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018), compare a frame with its warped neighbor in this
way, leaving out what is hidden in one of them. Here the errors are compared instead of the frames, so that changes of
light and faults of the flow, which the truth has too, count for nothing. The flow is OpenCV's DIS on the sharp frames;
pixels whose flow leaves the frame, or does not come back, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cascade.evaluation.dis_flow import Flow, consistent_points, dis_flow, warp_by_flow

Frames = NDArray[np.uint8]
Change = NDArray[np.float32]


def flicker(videos: Mapping[str, Frames], truth: Frames) -> dict[str, float]:
    """Returns the flicker of each video in levels, by its name; nothing where ``truth`` is a single frame.

    ``truth`` and all videos are uint8 [T, H, W, 3] RGB of one shape. It is NaN where no pixel can be followed.
    """
    if len(truth) < 2:
        return {}
    motion = [_motion(*pair) for pair in pairwise(truth)]
    return {name: _root_mean_square(video, truth, motion) for name, video in videos.items()}


def _motion(frame: Frames, following: Frames) -> tuple[Flow, NDArray[np.bool_]]:
    """Returns the flow [H, W, 2] from one sharp frame to the next, and where it is trusted."""
    there = dis_flow(frame, following)
    return there, consistent_points(there, dis_flow(following, frame))


def _root_mean_square(video: Frames, truth: Frames, motion: list[tuple[Flow, NDArray[np.bool_]]]) -> float:
    errors = video.astype(np.float32) - truth
    changes = [
        (warp_by_flow(later, flow) - error)[trusted]
        for (error, later), (flow, trusted) in zip(pairwise(errors), motion, strict=True)
    ]
    squares = np.concatenate(changes).astype(np.float64) ** 2
    return float(np.sqrt(squares.mean())) if squares.size else float("nan")
