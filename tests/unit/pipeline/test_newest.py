"""Pictures of the newest frame, which are made of what the network saw and gave."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.artifacts.newest_pictures import View
from service.pipeline.newest import newest_pictures
from service.pipeline.segment import NewestFrame
from service.types import ColorTags
from service.video.source import load_source
from tests.support.clips import BT709, write_clip
from tests.support.hdr_clips import HLG, PQ


@pytest.mark.parametrize(("color", "white"), [(PQ, 148), (HLG, 191)])
def test_hdr_is_shown_as_ordinary_screens_show_it(tmp_path: Path, color: ColorTags, white: int) -> None:
    """The white of HDR has 58 % of the values of PQ, and 75 % of those of HLG."""
    picture = replace(load_source(write_clip(tmp_path / "clip.mp4")).picture, color=color)
    before = np.full((picture.height, picture.width, 3), white, np.uint8)
    shown = newest_pictures(NewestFrame(3, before, np.zeros_like(before), b"", picture))
    side = cv2.imdecode(np.frombuffer(shown[View.SIDE], np.uint8), cv2.IMREAD_COLOR)

    np.testing.assert_allclose(side[:, : picture.width].astype(int), 229, atol=3)
    np.testing.assert_allclose(side[:, picture.width :].astype(int), 0, atol=3)


def test_sdr_is_shown_as_it_is(tmp_path: Path) -> None:
    picture = load_source(write_clip(tmp_path / "clip.mp4")).picture
    assert picture.color == BT709
    before = np.full((picture.height, picture.width, 3), 148, np.uint8)
    shown = newest_pictures(NewestFrame(3, before, before, b"", picture))[View.BEFORE]

    decoded = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_allclose(decoded.astype(int), 148, atol=1)
