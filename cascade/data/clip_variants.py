"""The clips of an evaluation under other conditions: compressed, at half their size, without blur."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.data.clips import Clip
from cascade.synthesis.camera.video_codec import CodecSettings, through_codec

Frames = NDArray[np.uint8]


def coded(clip: Clip, crf: float) -> Clip:
    """Puts the blurred frames through x264 at ``crf``, preset medium and 4:2:0; the truth stays.

    Raises VideoCodecError.
    """
    return replace(clip, blurred=through_codec(clip.blurred, CodecSettings(crf=crf)))


def at_half_size(clip: Clip) -> Clip:
    """Reduces blurred and sharp frames to half their height and width by the mean of 2x2 pixels.

    A last odd row or column is left out.
    """
    return replace(clip, blurred=_halve(clip.blurred), sharp=_halve(clip.sharp))


def unblurred(clip: Clip) -> Clip:
    """Takes the sharp frames as input: what a network changes in them, it spoils."""
    return replace(clip, blurred=clip.sharp)


def held_still(clip: Clip) -> Clip:
    """Takes the middle sharp frame, for as long as the clip is, as input and truth: a still, sharp video."""
    middle = clip.sharp[len(clip.sharp) // 2]
    still = np.broadcast_to(middle, clip.sharp.shape)
    return replace(clip, blurred=still, sharp=still)


def _halve(frames: Frames) -> Frames:
    height, width = (side // 2 for side in frames.shape[1:3])
    even = frames[:, : 2 * height, : 2 * width]
    halved = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in even]
    return np.stack(halved).astype(np.uint8)
