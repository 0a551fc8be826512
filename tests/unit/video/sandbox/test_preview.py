import asyncio
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.errors.video import DamagedVideo
from service.types import ColorTags
from service.video.sandbox.preview import PreviewLimits, Shot, preview
from tests.support.clips import Clip, write_clip
from tests.support.planes import Coding, write_planes


def picture(*shots: Shot, limits: PreviewLimits | None = None) -> np.ndarray:
    """BGR."""
    data = asyncio.run(preview(shots, limits or PreviewLimits()))
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def difference(one: np.ndarray, rgb: np.ndarray) -> float:
    return float(np.abs(one[:, :, ::-1].astype(float) - rgb).mean())


def test_the_gateways_side_loads_neither_ffmpeg_nor_numpy() -> None:
    script = "import sys, service.video.sandbox.preview; print(sorted({'av', 'numpy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_the_child_does_without_numpy() -> None:
    script = "import sys, service.video.sandbox.preview_child; print('numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False"


def test_the_frame_of_this_number_is_shown_in_its_colors(tmp_path: Path) -> None:
    clip = Clip(frames=9, width=192, height=128)
    path = write_clip(tmp_path / "clip.mp4", clip)

    shown = picture(Shot(path, 7))

    assert shown.shape == (128, 192, 3)
    assert difference(shown, clip.picture(7)) < 3 < difference(shown, clip.picture(0))


@pytest.mark.parametrize(("rotation", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_pictures_are_upright(tmp_path: Path, rotation: int, turns: int) -> None:
    clip = Clip(frames=3, rotation=rotation)
    path = write_clip(tmp_path / "clip.mp4", clip)

    assert difference(picture(Shot(path, 1)), np.rot90(clip.picture(1), turns)) < 4


def test_frames_stand_beside_each_other(tmp_path: Path) -> None:
    clip = Clip(frames=8)
    path = write_clip(tmp_path / "clip.mp4", clip)

    shown = picture(Shot(path, 0), Shot(path, 6))

    assert difference(shown, np.hstack([clip.picture(0), clip.picture(6)])) < 4


def test_pictures_are_made_smaller_but_never_larger(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(frames=2))

    assert picture(Shot(path, 0), limits=PreviewLimits(side=48)).shape == (32, 48, 3)


def test_a_video_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(frames=2))

    with pytest.raises(DamagedVideo, match="cannot be shown: The video has 2 frames"):
        picture(Shot(path, 2))
    with pytest.raises(DamagedVideo):
        picture(Shot(tmp_path / "gone.mp4", 0))


def test_colors_of_ycgco_are_shown_as_they_are_meant(tmp_path: Path) -> None:
    red, green, blue = 200, 90, 40
    chroma = (green / 2 - red / 4 - blue / 4, red / 2 - blue / 2)
    values = (16 + (red / 4 + green / 2 + blue / 4) * 219 / 255, *(128 + one * 224 / 255 for one in chroma))
    planes = [np.full((96, 128), round(value), np.uint8) for value in values]
    coding = Coding("yuv444p", "libx264", {"crf": "1"}, ColorTags(1, 1, 8, full_range=False))
    path = write_planes(tmp_path / "clip.mp4", coding, [planes] * 2, (128, 96))

    shown = picture(Shot(path, 1))[48, 64, ::-1]
    np.testing.assert_allclose(shown.astype(int), (red, green, blue), atol=5)
