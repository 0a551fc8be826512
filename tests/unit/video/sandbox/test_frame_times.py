import asyncio
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from service.errors.video import NotAVideo, ProbeTimeout
from service.types import Excerpt
from service.video.sandbox.frame_times import FrameTimes, FrameTimesLimits, frame_times
from tests.support.clips import Clip, write_clip

STEPS = (0, 1001, 4321, 5100, 9000, 9750, 20000, 20800, 30000, 41111, 42000, 50000)


def times_of(
    path: Path, excerpt: Excerpt | None = None, limits: FrameTimesLimits | None = None
) -> FrameTimes:
    return asyncio.run(frame_times(path, excerpt, limits or FrameTimesLimits()))


@pytest.mark.parametrize(
    ("module", "heavy"), [("frame_times", ("av", "numpy")), ("frame_times_child", ("numpy", "cv2"))]
)
def test_gateway_and_child_load_no_more_than_they_need(module: str, heavy: tuple[str, ...]) -> None:
    script = f"import sys, service.video.sandbox.{module}; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_every_frame_has_its_exact_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(time_base=Fraction(1, 90000), pts=STEPS))
    expected = tuple(step / 90000 for step in STEPS)

    assert times_of(path) == FrameTimes(source=expected, result=expected)


def test_an_excerpt_has_times_in_the_source_and_from_zero_in_the_result(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(time_base=Fraction(1, 90000), pts=STEPS))
    times = times_of(path, Excerpt(start_s=0.1, end_s=0.4))

    assert times.source == tuple(step / 90000 for step in STEPS[4:9])
    assert times.result == tuple((step - STEPS[4]) / 90000 for step in STEPS[4:9])


def test_an_arbitrary_clock_begins_at_zero_on_both_sides(tmp_path: Path) -> None:
    times = times_of(write_clip(tmp_path / "clip.ts", Clip(frames=5)))

    assert times.source == times.result == pytest.approx([0.04 * frame for frame in range(5)], abs=1e-4)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no video")

    with pytest.raises(NotAVideo):
        times_of(path)


def test_reading_ends_with_its_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(frames=2))

    with pytest.raises(ProbeTimeout, match=r"0\.001 s"):
        times_of(path, limits=FrameTimesLimits(timeout_s=0.001))
