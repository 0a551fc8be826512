"""Encoders save memory where pictures are huge, and nowhere else: their bytes would be others."""

from __future__ import annotations

import pytest

from service.encoding.pixels import Pixels
from service.types import EncodeOptions
from service.video.encoding.encoders import Pictures, software


@pytest.mark.parametrize(("codec", "parameters"), [("h264", "x264-params"), ("hevc", "x265-params")])
@pytest.mark.parametrize(
    ("size", "saves"), [((1920, 1080), False), ((4096, 2304), False), ((7680, 4320), True)]
)
def test_encoders_look_fewer_frames_ahead_in_huge_pictures(
    codec: str, parameters: str, size: tuple[int, int], saves: bool
) -> None:
    encoder = software(EncodeOptions(codec=codec), Pictures(Pixels(), *size))

    assert ("rc-lookahead" in encoder.options[parameters]) is saves
