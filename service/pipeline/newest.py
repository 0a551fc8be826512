"""Makes pictures of the newest restored frame: they show how the work goes before its piece is complete."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame

from service.artifacts.newest_pictures import View
from service.pipeline.prior import Jpeg
from service.pipeline.segment import NewestFrame
from service.video.conversion.sdr import in_srgb, is_foreign
from service.video.encoding.pictures import Image
from service.video.source import PictureFormat

SIDE = 1280
"""Pixels of the longer side of each frame at most, as of all previews."""
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)


def newest_pictures(newest: NewestFrame) -> dict[View, Jpeg]:
    """Returns the frame as a player shows it on an ordinary screen: upright, with square pixels, in sRGB.

    Before, after and both beside each other.
    """
    size, rotation = shown_size(newest.picture, SIDE), newest.picture.rotation
    before, after = (
        _as_srgb(upright(image, size, rotation), newest.picture) for image in (newest.before, newest.after)
    )
    return {
        View.BEFORE: _jpeg(before),
        View.AFTER: _jpeg(after),
        View.SIDE: _jpeg(np.hstack([before, after])),
        View.PRIOR: newest.prior,
    }


def shown_size(picture: PictureFormat, most: float, across: bool = False) -> tuple[int, int]:
    """Returns the even width and height of a frame with square pixels, before it is rotated.

    The longer side has ``most`` pixels at most, or with ``across`` the width of the rotated frame.
    """
    sides = picture.width * float(picture.pixel_aspect or 1), float(picture.height)
    bounded = max(sides) if not across else sides[1 if picture.rotation in (90, 270) else 0]
    scale = min(1.0, most / bounded)
    width, height = (max(2, int(side * scale / 2) * 2) for side in sides)
    return width, height


def upright(image: Image, size: tuple[int, int], rotation: int) -> Image:
    """Returns a frame of ``size`` that is rotated as a player does it."""
    fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.rot90(fitted, -rotation // 90), np.uint8)


def _as_srgb(image: Image, picture: PictureFormat) -> Image:
    """Returns a frame in the colors that picture files have."""
    if not is_foreign(picture.color):
        return image
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    peak = picture.light.peak if picture.light else None
    return np.asarray(in_srgb(frame, picture.color, peak).to_ndarray(), np.uint8)


def _jpeg(image: Image) -> Jpeg:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR), _JPEG)
    return data.tobytes()
