"""How long windows are, and what they take: the arithmetic that estimates and workers share."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from service.pipeline.segments import plan_segments
from service.window_limits import WindowLimits, WindowMemory, segment_count

GIB = 1024**3
LIMITS = WindowLimits(segment_frames=64, frames=12, pixels=4_000_000, bytes=None)
PAPER = WindowMemory(frame=1082, context=2164)


@pytest.mark.parametrize(
    ("size", "frames"), [((1280, 720), 4), ((1920, 1080), 1), ((4096, 2304), 1), ((320, 180), 12)]
)
def test_without_a_budget_pixels_decide(size: tuple[int, int], frames: int) -> None:
    assert LIMITS.window_frames(size[0] * size[1], PAPER) == frames


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
    limits = replace(LIMITS, bytes=gib * GIB)

    assert limits.window_frames(size[0] * size[1], PAPER) == frames


def test_a_model_that_says_nothing_of_its_memory_goes_by_pixels() -> None:
    assert replace(LIMITS, bytes=GIB).window_frames(1280 * 720, None) == 4


def test_no_window_is_longer_than_allowed() -> None:
    limits = replace(LIMITS, bytes=80 * GIB, frames=5)

    assert limits.window_frames(640 * 360, PAPER) == 5


def test_memory_is_that_of_the_windows_in_flight() -> None:
    model = WindowMemory(frame=300, context=600)
    by_bytes = replace(LIMITS, bytes=10_000_000_000, in_flight=1)

    assert LIMITS.segment_bytes(1_000_000, 100, model) == 2 * 1_000_000 * (600 + 4 * 300)
    assert by_bytes.segment_bytes(1_000_000, 100, model) == 1_000_000 * (600 + 12 * 300)


def test_a_video_shorter_than_a_window_takes_less() -> None:
    model = WindowMemory(frame=300, context=600)

    assert LIMITS.segment_bytes(1_000_000, 2, model) == 2 * 1_000_000 * (600 + 2 * 300)


@pytest.mark.parametrize("frames", [1, 63, 95, 97, 1000])
def test_an_estimate_counts_the_segments_that_a_plan_has(frames: int) -> None:
    assert len(plan_segments(frames, 64)) == segment_count(frames, 64)


def test_the_arithmetic_loads_neither_numpy_nor_ffmpeg() -> None:
    program = "import sys, service.window_limits; print({'numpy', 'av'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ran.stdout.strip() == "set()"
