from dataclasses import replace

import pytest

from service.inference.card import WindowMemory
from service.types import ColorTags, VideoInfo
from service.worker.steps import WorkSizes, window_length

GIB = 1024**3
SIZES = WorkSizes(segment_frames=64, window_pixels=4_000_000, window_frames=12, window_bytes=None)
PAPER = WindowMemory(frame=1082, context=2164)


def video(width: int, height: int) -> VideoInfo:
    return VideoInfo(
        container="mp4",
        codec="h264",
        width=width,
        height=height,
        frames=100,
        duration_s=4.0,
        fps=25.0,
        variable_frame_rate=False,
        rotation=0,
        bit_depth=8,
        color=ColorTags(1, 1, 1, full_range=False),
        audio=(),
        subtitles=(),
    )


@pytest.mark.parametrize(
    ("size", "frames"), [((1280, 720), 4), ((1920, 1080), 1), ((4096, 2304), 1), ((320, 180), 12)]
)
def test_without_a_budget_pixels_decide(size: tuple[int, int], frames: int) -> None:
    assert window_length(video(*size), SIZES, PAPER) == frames


@pytest.mark.parametrize(
    ("gib", "size", "frames"),
    [
        (8, (1280, 720), 6),
        (8, (1920, 1080), 1),
        (16, (1920, 1080), 5),
        (24, (1920, 1080), 9),
        (2, (3840, 2160), 1),
    ],
)
def test_a_budget_of_memory_decides_by_the_models_card(gib: int, size: tuple[int, int], frames: int) -> None:
    assert window_length(video(*size), replace(SIZES, window_bytes=gib * GIB), PAPER) == frames


def test_a_model_that_says_nothing_of_its_memory_goes_by_pixels() -> None:
    assert window_length(video(1280, 720), replace(SIZES, window_bytes=GIB), None) == 4


def test_no_window_is_longer_than_allowed() -> None:
    sizes = replace(SIZES, window_bytes=80 * GIB, window_frames=5)

    assert window_length(video(640, 360), sizes, PAPER) == 5
