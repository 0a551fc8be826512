"""Gains by strength of blur: which band a frame falls into, and what is said of it."""

from __future__ import annotations

import pytest

from cascade.evaluation.metrics import Quality
from cascade.evaluation.protocol import VideoScore
from cascade.evaluation.report.bands import Band, blur_bands
from cascade.evaluation.report.tables import bands_table


def _score(given: tuple[float, ...], restored: tuple[float, ...]) -> VideoScore:
    quality = {"input": Quality(0, 0), "restored": Quality(0, 0)}
    return VideoScore("clip", len(given), 1.0, quality, {"input": given, "restored": restored}, {})


def test_frames_of_all_videos_are_sorted_by_the_psnr_of_their_input() -> None:
    bands = blur_bands([_score((24.0, 40.0), (26.0, 39.5)), _score((23.0, 19.0), (26.0, 20.0))])
    assert [(band.low, band.frames) for band in bands] == [(0, 1), (23, 2), (32, 1)]
    assert bands[1] == Band(23, 26, 2, 23.5, 26.0, 2.0)
    assert [band.gain for band in bands] == pytest.approx([1.0, 2.5, -0.5])


def test_the_table_has_a_row_for_each_band() -> None:
    rows = bands_table(blur_bands([_score((24.0, 40.0, 19.0), (26.0, 39.5, 20.0))])).splitlines()
    assert rows[2] == "| below 20 dB | 1 | 19.00 | 20.00 | +1.00 dB | +1.00 dB |"
    assert rows[3].startswith("| 23 to 26 dB | 1 |")
    assert rows[4] == "| 32 dB and above | 1 | 40.00 | 39.50 | -0.50 dB | -0.50 dB |"


def test_frames_that_are_their_own_truth_belong_to_no_band() -> None:
    assert blur_bands([_score((float("inf"),), (45.0,))]) == []
    assert bands_table([]) == ""
