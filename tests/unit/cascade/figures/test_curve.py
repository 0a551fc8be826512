"""The learning curve, from the log of a training to its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cascade.figures.chart import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    INK,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    Times,
    line_chart,
)
from cascade.figures.curve import LogError, draw, main, read_log


def _validation(seconds: float, **values: float) -> dict[str, Any]:
    return {"time": 1.7e9, "seconds": seconds, "validation": True, "phase": 0, "step": 50, **values}


def _step(seconds: float, **values: float) -> dict[str, Any]:
    return {"time": 1.7e9, "seconds": seconds, "phase": "flow", "step": 50, "samples_per_s": 4.0, **values}


def _lines(*records: dict[str, Any]) -> list[str]:
    return [json.dumps(record) + "\n" for record in records]


def _places(image: np.ndarray, colour: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Where in the plot a colour is: x and y of its pixels."""
    plot = (image[TOP : HEIGHT - BOTTOM, LEFT : WIDTH - RIGHT] == colour).all(axis=2)
    return [(int(x), int(y)) for y, x in np.argwhere(plot)]


def test_what_was_logged_beyond_the_state_gone_on_from_is_left_out() -> None:
    times = [10.0, 20.0, 30.0, 15.0, 25.0]
    assert [r["seconds"] for r in read_log(_lines(*map(_step, times)))] == [10.0, 15.0, 25.0]


def test_a_line_that_was_not_finished_is_left_out() -> None:
    whole = _lines(_step(10.0), _step(20.0))
    assert len(read_log([*whole, whole[0][:20]])) == 2


@pytest.mark.parametrize("line", ["no json", "[1]", "{}"])
def test_what_is_no_record_is_named(line: str) -> None:
    with pytest.raises(LogError, match="line 2"):
        read_log([*_lines(_step(10.0)), line, *_lines(_step(20.0))])


def test_a_rising_value_is_a_rising_line() -> None:
    image = line_chart("t", Times(10, "hours"), [Line("a", [1, 9], [0.0, 4.0])])
    places = _places(image, COLOURS[0])
    (left, low), (right, high) = min(places), max(places)
    assert left < 0.2 * (WIDTH - LEFT - RIGHT)
    assert right > 0.8 * (WIDTH - LEFT - RIGHT)
    assert low > high + 150


def test_a_logarithmic_chart_spaces_decades_evenly() -> None:
    image = line_chart("t", Times(2, "hours"), [Line("a", [0, 1, 2], [0.01, 0.1, 1.0])], logarithmic=True)
    heights = dict(_places(image, COLOURS[0]))
    start, middle, end = (heights[x] for x in (min(heights), sum(heights) // len(heights), max(heights)))
    assert middle == pytest.approx((start + end) / 2, abs=6)


def test_a_chart_of_one_point_or_of_equal_ones_can_be_drawn() -> None:
    image = line_chart("t", Times(0, "minutes"), [Line("a", [0], [1.0])])
    assert _places(image, COLOURS[0])


def test_the_curve_has_a_chart_for_each_kind_of_record_that_there_is() -> None:
    gains = _validation(60.0, gain_synthetic=0.1, gain_a=0.2, gain_b=0.4)
    assert draw([gains]).shape == (HEIGHT, WIDTH, 3)
    assert draw([gains, _step(70.0, flow=1.5)]).shape == (2 * HEIGHT, WIDTH, 3)
    assert (
        draw([_validation(60.0, gain_a=0.2, alignment_db=20.0), _step(70.0, flow=1.5)]).shape[0] == 3 * HEIGHT
    )


def test_the_mean_is_of_the_recorded_clips() -> None:
    records = [
        _validation(t, gain_synthetic=5.0, gain_a=0.0, gain_b=g) for t, g in ((60.0, 0.0), (120.0, 2.0))
    ]
    image = draw(records)
    mean = max(_places(image, INK))[1]
    b = max(_places(image, COLOURS[2]))[1]
    a = min(y for _, y in _places(image, COLOURS[1]))
    assert mean == pytest.approx((a + b) / 2, abs=12)


def test_a_log_of_nothing_is_no_curve() -> None:
    with pytest.raises(LogError, match="neither"):
        draw([])


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    log, output = tmp_path / "log.jsonl", tmp_path / "curve.png"
    log.write_text(
        "".join(_lines(_step(50.0, flow=3.0), _validation(60.0, gain_a=0.5), _step(90.0, flow=2.0)))
    )
    main([str(log), "--output", str(output)])
    assert cv2.imread(str(output)).shape == (2 * HEIGHT, WIDTH, 3)


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="curve: "):
        main([str(tmp_path / "none.jsonl"), "--output", str(tmp_path / "curve.png")])
