import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter

from service.types import ColorTags
from service.video.color import QUALITY, conversion, result_tags
from service.video.conversion.rgb import from_rgb, to_rgb
from tests.support.clips import Image, moving_picture


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9])
def test_rgb_survives_the_way_to_yuv_and_back(matrix: int, full_range: bool) -> None:
    how = conversion(ColorTags(1, 1, matrix, full_range), 64)
    yuv = from_rgb(moving_picture(0), how, "yuv444p", VideoReformatter())
    back = to_rgb(yuv, how, VideoReformatter())

    assert abs(back.astype(int) - moving_picture(0)).mean() < 1


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (64, 67), (131, 77), (320, 180)])
@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv410p", "nv12", "yuva420p", "yuv420p10le"]
)
def test_frames_become_what_the_scaler_makes_of_them_at_once(pix_fmt: str, size: tuple[int, int]) -> None:
    """Planar RGB on the way is quicker, and must not show."""
    frame = _noise(pix_fmt, *size)
    for full_range in (False, True):
        how = conversion(ColorTags(1, 1, 1, full_range), 720)
        packed = frame.reformat(
            format="rgb24",
            src_colorspace=how.matrix,
            dst_colorspace=how.matrix,
            src_color_range=how.color_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=QUALITY,
        )
        assert np.array_equal(to_rgb(frame, how, VideoReformatter()), packed.to_ndarray())


def _noise(pix_fmt: str, width: int, height: int) -> VideoFrame:
    random, frame = np.random.default_rng(0), VideoFrame(width, height, pix_fmt)
    depth = frame.format.components[0].bits
    samples = np.uint8 if depth == 8 else np.uint16
    for plane in frame.planes:
        count = plane.buffer_size // np.dtype(samples).itemsize
        plane.update(random.integers(0, 1 << depth, count, samples).tobytes())
    return frame


def _luma_of(color: tuple[int, int, int], matrix: int, full_range: bool = False) -> int:
    image: Image = np.full((64, 64, 3), color, np.uint8)
    how = conversion(ColorTags(2, 2, matrix, full_range), 64)
    return int(from_rgb(image, how, "yuv444p", VideoReformatter()).to_ndarray()[0, 32, 32])


@pytest.mark.parametrize(
    ("matrix", "red_weight", "green_weight"),
    [(1, 0.2126, 0.7152), (5, 0.299, 0.587), (6, 0.299, 0.587), (9, 0.2627, 0.678)],
)
def test_luma_follows_the_matrix_that_is_named(matrix: int, red_weight: float, green_weight: float) -> None:
    assert _luma_of((255, 0, 0), matrix) == pytest.approx(16 + 219 * red_weight, abs=1.5)
    assert _luma_of((0, 255, 0), matrix) == pytest.approx(16 + 219 * green_weight, abs=1.5)


def test_the_range_is_the_one_that_is_named() -> None:
    assert (_luma_of((0, 0, 0), 1), _luma_of((255, 255, 255), 1)) == (16, 235)
    assert (_luma_of((0, 0, 0), 1, True), _luma_of((255, 255, 255), 1, True)) == (0, 255)


def test_without_a_name_the_matrix_is_guessed_as_players_do() -> None:
    unnamed = ColorTags(2, 2, 2, False)

    assert conversion(unnamed, 576) == conversion(ColorTags(2, 2, 5, False), 576)
    assert conversion(unnamed, 720) == conversion(ColorTags(2, 2, 1, False), 720)


def test_only_rgb_coded_video_gets_other_tags() -> None:
    assert result_tags(ColorTags(9, 16, 9, True), rgb=False) == ColorTags(9, 16, 9, True)
    assert result_tags(ColorTags(1, 13, 0, True), rgb=True) == ColorTags(1, 13, 1, False)
    assert result_tags(ColorTags(1, 13, 0, True), rgb=True, into_rgb=True) == ColorTags(1, 13, 0, True)
