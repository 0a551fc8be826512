"""The benchmark of everything around the network restores a real segment."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pipeline.restoring import measure, write_source
from benchmarks.pipeline.stages import STAGES, measure_stages


def test_a_segment_goes_through_all_stages(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_source(clip, frames=12, height=96, width=128)
    measured = measure(clip, frames=12, window=4)

    assert measured.frames == 12
    assert measured.per_second > 0
    assert measured.per_processor_second > 0


def test_each_stage_takes_time_of_its_own(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_source(clip, frames=12, height=96, width=128)

    seconds = measure_stages(clip, frames=12, window=4, folder=tmp_path)

    assert tuple(seconds) == STAGES
    assert all(seconds.values())
