"""Makes pictures of the newest restored frame: they show how the work goes before its piece is complete."""

from __future__ import annotations

import cv2
import numpy as np

from service.artifacts.newest_pictures import View
from service.pipeline.prior import Jpeg
from service.pipeline.segment import NewestFrame
from service.video.encoding.pictures import Image
from service.video.source import PictureFormat

SIDE = 1280
"""Pixels of the longer side of each frame at most, as of all previews."""
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)


def newest_pictures(newest: NewestFrame) -> dict[View, Jpeg]:
    """Returns the frame upright and with square pixels, as a player shows it, before, after and beside each other."""
    before, after = (_upright(image, newest.picture) for image in (newest.before, newest.after))
    return {
        View.BEFORE: _jpeg(before),
        View.AFTER: _jpeg(after),
        View.SIDE: _jpeg(np.hstack([before, after])),
        View.PRIOR: newest.prior,
    }


def _upright(image: Image, picture: PictureFormat) -> Image:
    height, width = image.shape[0], image.shape[1] * float(picture.pixel_aspect or 1)
    scale = min(1.0, SIDE / max(width, height))
    size = tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.rot90(small, -picture.rotation // 90), np.uint8)


def _jpeg(image: Image) -> Jpeg:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR), _JPEG)
    return data.tobytes()
