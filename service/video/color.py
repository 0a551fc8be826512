"""Chooses the matrix and range of conversions between RGB and YUV by the tags of a video, not by a default.

Where a video names no matrix, players guess BT.601 below 720 lines and BT.709 from there on. The conversion guesses the
same in both directions, and the result has no tag either, so that a player guesses for it as for the source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Interpolation

from service.types import ColorTags

MATRIX_RGB = 0
MATRIX_BT709 = 1
MATRIX_UNSPECIFIED = 2
MATRIX_BT601 = 5
MATRIX_YCGCO = 8

_CHROMAS = {(4, 4): "420", (4, 8): "422", (8, 8): "444", (8, 4): "440", (2, 8): "411", (2, 2): "410"}
"""Chroma samples across and down for eight pixels each."""

_WITHOUT_YCGCO = ("vp9", "prores")

HD_LINES = 720
"""The height from which on players take BT.709 where no matrix is named."""

_SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""Maps FFmpeg's matrix codes that its scaler knows to the scaler's own codes."""

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
QUALITY = _EXACT | Interpolation.FULL_CHR_H_INP
"""With these flags limited-range YUV survives YUV -> RGB -> YUV; without them, 0.7 levels are lost on average."""


@dataclass(frozen=True)
class Conversion:
    """How the frames of a video are converted: the scaler's matrix code and the range."""

    matrix: int
    full_range: bool
    ycgco: bool = False
    """Whether the matrix is YCgCo, which the scaler lacks."""
    known: bool = True
    """Whether the matrix is the one that is named, or a guess where none is."""

    @property
    def color_range(self) -> ColorRange:
        """The range as the scaler names it."""
        return ColorRange.JPEG if self.full_range else ColorRange.MPEG


def conversion(tags: ColorTags, height: int) -> Conversion:
    """Returns the conversion for a video of ``height`` lines. A matrix that nothing here knows counts as not named."""
    guess = MATRIX_BT709 if height >= HD_LINES else MATRIX_BT601
    known = tags.matrix in (*_SWSCALE_MATRIX, MATRIX_RGB, MATRIX_UNSPECIFIED)
    ycgco = tags.matrix == MATRIX_YCGCO
    return Conversion(_SWSCALE_MATRIX.get(tags.matrix, guess), tags.full_range, ycgco, known)


def result_tags(source: ColorTags, rgb: bool, codec: str = "h264", into_rgb: bool = False) -> ColorTags:
    """Returns the tags of a result: the source's, unless it changes its color model.

    ``rgb``: whether the source is coded in RGB; it stays so with ``into_rgb``, and else becomes BT.709 in limited
    range. So does a matrix that the codec cannot name.
    """
    if into_rgb:
        return replace(source, matrix=MATRIX_RGB, full_range=True)
    if rgb:
        return replace(source, matrix=MATRIX_BT709, full_range=False)
    if source.matrix == MATRIX_YCGCO and codec in _WITHOUT_YCGCO:
        return replace(source, matrix=MATRIX_BT709)
    return source


def chroma_of(pixels: VideoFormat) -> str:
    """Returns the resolution of chroma in a pixel format of FFmpeg, as in ``service.encoding.pixels``."""
    if pixels.is_rgb or pixels.has_palette:
        return "rgb"
    if sum(not component.is_alpha for component in pixels.components) < 3:
        return "gray"
    return _CHROMAS.get((pixels.chroma_width(8), pixels.chroma_height(8)), "444")
