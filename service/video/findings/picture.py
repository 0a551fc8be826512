"""What a result keeps of the pictures' depth, color and shape."""

from __future__ import annotations

from collections.abc import Iterator

from service.findings import Code, Finding, Kind
from service.types import EncodeOptions
from service.video.color import MATRIX_RGB
from service.video.source import PictureFormat

RESULT_BIT_DEPTH = 8

_HDR_TRANSFERS = (16, 18)
"""FFmpeg's codes of PQ and HLG."""

DEINTERLACED = "Interlaced frames are deinterlaced, by bwdif and each frame's own flag."
TAKEN_AS_PROGRESSIVE = "Interlaced frames are taken for progressive ones, as was asked for."


def picture_findings(picture: PictureFormat, options: EncodeOptions) -> Iterator[Finding]:
    """Yields what is known from the first frame and the options."""
    if picture.bit_depth > RESULT_BIT_DEPTH:
        text = f"{picture.bit_depth} bits per sample are reduced to {RESULT_BIT_DEPTH}."
        yield Finding(Kind.LOST, Code.BIT_DEPTH, text)
    if picture.color.transfer in _HDR_TRANSFERS:
        yield Finding(Kind.LOST, Code.HDR, "HDR mastering metadata is not carried over.")
    if picture.has_alpha:
        yield Finding(Kind.LOST, Code.ALPHA, "Transparency is dropped.")
    if picture.color.matrix == MATRIX_RGB:
        yield Finding(Kind.CHANGED, Code.COLOR, "RGB-coded video is converted to BT.709 YUV.")
    if picture.interlaced:
        text = TAKEN_AS_PROGRESSIVE if options.deinterlace == "off" else DEINTERLACED
        yield Finding(Kind.CHANGED, Code.INTERLACING, text)
