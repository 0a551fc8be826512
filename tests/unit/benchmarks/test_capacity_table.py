from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.capacity_table import Measurements, report, rows

MEASUREMENTS = Measurements(
    cores=4,
    others_load=0.5,
    upload_bytes_per_s=100e6,
    polls_per_s=1000,
    redis_commands_per_s=64_000,
    redis_commands_per_segment=64,
    redis_commands_idle=3,
    redis_bytes_per_job=20_000,
    segment_overhead_s=0.64,
    coding_fps_720p=100,
    model_fps_360p=4,
)


def test_parts_are_compared_by_the_frames_that_they_carry() -> None:
    carried = {row.part: row.frames_per_s for row in rows(MEASUREMENTS, gpu_fps=60)}

    assert carried["gateway, uploads"] == pytest.approx(2500)
    assert carried["Redis"] == pytest.approx(64_000)
    assert carried["worker without a network"] == pytest.approx(50), "half of a segment's time is overhead"
    assert carried["worker with the model on its CPU"] == pytest.approx(1), "720p has four times the pixels"


def test_figure_for_a_gpu_is_marked_as_not_measured() -> None:
    lines = [line for line in report(MEASUREMENTS, gpu_fps=60).splitlines() if line.startswith("| GPU node")]

    assert lines == ["| GPU node | assumed, NOT MEASURED | 60.0 (planned) | 1.00 |"]


@pytest.mark.parametrize(
    ("change", "part"), [({}, "gateway, uploads"), ({"redis_commands_per_s": 640}, "Redis")]
)
def test_the_shared_part_that_is_full_first_is_named(change: dict[str, float], part: str) -> None:
    text = report(replace(MEASUREMENTS, **change), gpu_fps=60)

    assert f"of what there is one, {part} is full first" in text.replace("\n", " ")
