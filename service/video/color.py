"""RGB to YUV and back with the matrix and range that the video's tags name, not the library's default.

Where a video names no matrix, players guess BT.601 below 720 lines and BT.709 from there; so do we, in both
directions, and leave the result untagged as well: a player then guesses for it as it did for the source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from av.video.reformatter import ColorRange, Interpolation

from service.types import ColorTags

MATRIX_RGB = 0
MATRIX_BT709 = 1
MATRIX_UNSPECIFIED = 2
MATRIX_BT601 = 5

HD_LINES = 720

_SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""FFmpeg's matrix codes that its scaler knows, to the scaler's own codes."""

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
QUALITY = _EXACT | Interpolation.FULL_CHR_H_INP
"""With these flags limited-range YUV survives YUV -> RGB -> YUV; without, 0.7 levels are lost on average."""


@dataclass(frozen=True)
class Conversion:
    """How one video's frames are converted: the scaler's matrix code and the range."""

    matrix: int
    full_range: bool

    @property
    def color_range(self) -> ColorRange:
        return ColorRange.JPEG if self.full_range else ColorRange.MPEG


def conversion(tags: ColorTags, height: int) -> Conversion:
    """The conversion for a video with these tags. A matrix that the scaler lacks is treated as not named."""
    guess = MATRIX_BT709 if height >= HD_LINES else MATRIX_BT601
    return Conversion(_SWSCALE_MATRIX.get(tags.matrix, guess), tags.full_range)


def result_tags(source: ColorTags) -> ColorTags:
    """The tags of a result: the source's, except that RGB-coded video becomes BT.709 in limited range."""
    if source.matrix == MATRIX_RGB:
        return replace(source, matrix=MATRIX_BT709, full_range=False)
    return source
