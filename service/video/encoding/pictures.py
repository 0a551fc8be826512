"""Makes the frames of a result from what the network restored, in the pixels of the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from service.types import EncodeOptions
from service.video.color import conversion
from service.video.conversion.planes import grown, is_planar
from service.video.conversion.rgb import converted, from_rgb
from service.video.encoding.change import Applier
from service.video.encoding.layout import layout
from service.video.source import PictureFormat

Image = NDArray[np.uint8]
"""uint8 [H, W, 3], RGB, full range."""


@dataclass(frozen=True)
class Original:
    """A frame as it was decoded, and the picture that the network was given of it."""

    frame: VideoFrame
    given: Image


class PictureMaker:
    """Makes the frames of one result."""

    def __init__(self, picture: PictureFormat, options: EncodeOptions) -> None:
        self.layout = layout(picture, options)
        self._source = conversion(picture.color, picture.height)
        self._how = conversion(self.layout.tags, picture.height)
        self._scaler = VideoReformatter()
        self._changes = Applier(self.layout.pixels, self._how)

    def picture(self, image: Image, original: Original | None) -> VideoFrame:
        """Returns the frame for a restored ``image``; ``original`` is there where ``needs_originals`` says so."""
        pix_fmt = self.layout.pixels.format
        if original is None:
            return from_rgb(self._grown_image(image), self._how, pix_fmt, self._scaler)
        base = original.frame
        if is_planar(base):
            base = self._grown(base)  # before its chroma is reduced: the scaler halves even sizes only
        base = converted(base, self._source, self._how, pix_fmt, self._scaler)
        frame = grown(base, self.layout.width, self.layout.height)
        self._changes.apply(frame, image.astype(np.int16) - original.given)
        return frame

    def _grown(self, frame: VideoFrame) -> VideoFrame:
        if (frame.width, frame.height) == (self.layout.width, self.layout.height):
            return frame
        return grown(frame, self.layout.width, self.layout.height)

    def _grown_image(self, image: Image) -> Image:
        down, right = self.layout.height - image.shape[0], self.layout.width - image.shape[1]
        if not (down or right):
            return image
        return np.pad(image, ((0, down), (0, right), (0, 0)), mode="edge")
