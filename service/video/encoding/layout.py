"""What the frames of a result are like. Loads no numpy: the gateway's child processes use it, too."""

from __future__ import annotations

from dataclasses import dataclass

from service.encoding.choice import result_pixels
from service.encoding.codecs import CODECS
from service.encoding.pixels import Pixels
from service.types import ColorTags, EncodeOptions
from service.video.color import conversion, result_tags
from service.video.source import PictureFormat


@dataclass(frozen=True)
class Layout:
    """What the frames of a result are like."""

    pixels: Pixels
    tags: ColorTags
    width: int
    height: int


def layout(picture: PictureFormat, options: EncodeOptions) -> Layout:
    """Returns the layout of the result of a video with such pictures.

    Where chroma is halved, H.264 and HEVC state sizes, cropping included, in steps of two pixels only: an odd size
    then becomes the next even one.
    """
    pixels = result_pixels(options, picture.pixels)
    even = CODECS[options.codec].even_sizes or options.encoder == "hardware"
    right = picture.width % 2 if even and pixels.chroma in ("420", "422") else 0
    down = picture.height % 2 if even and pixels.chroma == "420" else 0
    tags = result_tags(picture.color, picture.chroma == "rgb", options.codec, pixels.chroma == "rgb")
    return Layout(pixels, tags, picture.width + right, picture.height + down)


def needs_originals(picture: PictureFormat, options: EncodeOptions) -> bool:
    """Returns whether a result has more than 8 bits of RGB hold: depth, chroma, transparency, or a rare matrix.

    The usual 8-bit 4:2:0 result of such a video is converted from RGB as a whole, which takes less time.
    """
    lossless = options.encode_quality == "lossless"
    plain = picture.pixels.plain and result_pixels(options, picture.pixels).plain
    return lossless or not plain or not conversion(picture.color, picture.height).known
