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
from tests.support.hdr_clips import HLG, PQ, Patch, hlg_of, pq_of, write_patches
from tests.support.interlaced_clips import Interlaced
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


STILL = PreviewLimits(side=8192, png=True)


def test_hdr10_is_shown_as_ordinary_screens_show_it(tmp_path: Path) -> None:
    patches = [
        Patch((0, 0, 0), (0, 0, 0)),
        Patch((50, 50, 50), (136, 136, 136)),  # 50 of the 203 cd/m2 of white, by the curve of sRGB
        Patch((0.6274 * 50, 0.0691 * 50, 0.0164 * 50), (136, 0, 0)),  # red of BT.709, as light of BT.2020
        Patch((32.12, 21.27, 11.37), (123, 89, 63)),  # 40, 20 and 10 cd/m2 of BT.709
        Patch((1000, 1000, 1000), (255, 255, 255)),
    ]
    path = write_patches(tmp_path / "clip.mp4", PQ, [pq_of(one.light) for one in patches], "max-cll=1000,400")

    for limits in (PreviewLimits(), STILL):
        shown = picture(Shot(path, 1), limits=limits)[:, :, ::-1]
        for number, one in enumerate(patches):
            np.testing.assert_allclose(shown[32, 64 * number + 32].astype(int), one.shown, atol=5)


def test_what_is_brighter_than_white_is_told_apart(tmp_path: Path) -> None:
    """The video says that it has up to 4000 cd/m2."""
    light = (100, 203, 400, 1000, 4000)
    path = write_patches(tmp_path / "clip.mp4", PQ, [pq_of((one,) * 3) for one in light], "max-cll=4000,400")
    shown = [int(picture(Shot(path, 0))[32, 64 * number + 32, 1]) for number in range(len(light))]

    assert 160 < shown[0] < shown[1] < 220 < shown[2] < 240 < shown[3] < 253 < shown[4]


def test_hlg_is_shown_as_ordinary_screens_show_it(tmp_path: Path) -> None:
    """By ITU-R BT.2408, 75 % is white at 203 cd/m2, and 38 % is skin at 26."""
    path = write_patches(tmp_path / "clip.mp4", HLG, [hlg_of(0), hlg_of(0.38), hlg_of(0.75), hlg_of(1)])
    shown = [int(picture(Shot(path, 0))[32, 64 * number + 32, 1]) for number in range(4)]

    np.testing.assert_allclose(shown, (0, 101, 229, 255), atol=4)


def test_colors_of_phones_are_shown_as_they_are_meant(tmp_path: Path) -> None:
    """Display P3 with the brightness of SDR: white and gray stay, red has more of itself."""
    display_p3 = ColorTags(12, 1, 1, full_range=False)
    path = write_patches(tmp_path / "clip.mp4", display_p3, [(0.5, 0.5, 0.5), (0.784, 0.353, 0.157)])
    shown = picture(Shot(path, 0), limits=STILL)[:, :, ::-1].astype(int)

    np.testing.assert_allclose(shown[32, 32], (128, 128, 128), atol=2)
    np.testing.assert_allclose(shown[32, 96], (216, 81, 11), atol=4)


@pytest.mark.parametrize("limits", [PreviewLimits(), PreviewLimits(first_lit=True), STILL])
def test_interlaced_frames_are_shown_deinterlaced(tmp_path: Path, limits: PreviewLimits) -> None:
    clip = Interlaced(frames=6)
    path = write_clip(tmp_path / "clip.mp4", clip)
    shown, woven = (picture(Shot(path, 3, None, how), limits=limits) for how in ("auto", "off"))

    assert difference(woven, clip.picture(3)) < 4
    assert difference(shown, clip.moment(6)) < difference(woven, clip.moment(6)) / 3


def test_the_strip_of_an_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    clip = Interlaced(frames=6)
    path = write_clip(tmp_path / "clip.mp4", clip)
    shown = picture(Shot(path, 0), Shot(path, 5), limits=PreviewLimits(keyframes=True))

    assert difference(shown[:, : clip.width], clip.moment(0)) < 4
    assert difference(shown[:, clip.width :], clip.moment(10)) < 4
