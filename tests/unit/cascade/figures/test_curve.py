"""The learning curve, from the log of a training to its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from cascade.figures.chart import HEIGHT, WIDTH, Chart, Line, draw_charts
from cascade.figures.curve import LogError, draw, main, read_log


def _validation(seconds: float, **values: float) -> dict[str, Any]:
    return {"time": 1.7e9, "seconds": seconds, "validation": True, "phase": 0, "step": 50, **values}


def _step(seconds: float, **values: float) -> dict[str, Any]:
    return {"time": 1.7e9, "seconds": seconds, "phase": "flow", "step": 50, "samples_per_s": 4.0, **values}


def _lines(*records: dict[str, Any]) -> list[str]:
    return [json.dumps(record) + "\n" for record in records]


def _axes(chart: Chart, end: float) -> Axes:
    (axes,) = draw_charts([chart], end, "hours").axes
    return axes


def _places(axes: Axes, name: str) -> np.ndarray:
    """Where the points of a line are, as shares of the plot's width and height from its lower left."""
    (line,) = (line for line in axes.lines if line.get_label() == name)
    return axes.transAxes.inverted().transform(axes.transData.transform(line.get_xydata()))


def test_what_was_logged_beyond_the_state_gone_on_from_is_left_out() -> None:
    times = [10.0, 20.0, 30.0, 15.0, 25.0]
    assert [r["seconds"] for r in read_log(_lines(*map(_step, times)))] == [10.0, 15.0, 25.0]


def test_a_line_that_was_not_finished_is_left_out() -> None:
    whole = _lines(_step(10.0), _step(20.0))
    assert len(read_log([*whole, whole[0][:20]])) == 2


@pytest.mark.parametrize("line", ["no json", "[1]", "{}"])
def test_what_is_no_record_is_named(line: str) -> None:
    with pytest.raises(LogError, match="Line 2"):
        read_log([*_lines(_step(10.0)), line, *_lines(_step(20.0))])


def test_a_rising_value_is_a_rising_line() -> None:
    (left, low), (right, high) = _places(_axes(Chart("t", [Line("a", [1, 9], [0.0, 4.0])]), 10), "a")
    assert 0 < left < 0.2
    assert 0.8 < right < 1
    assert 0.6 < high - low < 1


def test_a_logarithmic_chart_spaces_decades_evenly() -> None:
    chart = Chart("t", [Line("a", [0, 1, 2], [0.01, 0.1, 1.0])], logarithmic=True)
    start, middle, end = _places(_axes(chart, 2), "a")[:, 1]
    assert middle == pytest.approx((start + end) / 2, abs=0.01)
    assert end > start + 0.6


def test_a_chart_of_one_point_can_be_drawn(tmp_path: Path) -> None:
    chart = Chart("t", [Line("a", [0], [1.0])])
    draw_charts([chart], 0, "minutes").savefig(tmp_path / "a.png")
    x, y = _places(_axes(chart, 0), "a")[0]
    assert 0 <= x < 1
    assert 0 < y < 1


def test_lines_have_colors_of_their_own_and_names_in_a_legend(tmp_path: Path) -> None:
    figure = draw_charts([Chart("t", [Line("a", [0, 1], [0, 1]), Line("b", [0, 1], [1, 0])])], 1, "hours")
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["a", "b"]
    figure.savefig(tmp_path / "a.png")
    picture = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_COLOR_RGB)
    for line in figure.axes[0].lines:
        color = 255 * np.array(to_rgb(line.get_color()))
        assert (np.abs(picture - color).max(axis=2) < 8).sum() > 100


def test_the_curve_has_a_chart_for_each_kind_of_record_that_there_is() -> None:
    gains = _validation(60.0, gain_synthetic=0.1, gain_a=0.2, gain_b=0.4)
    assert len(draw([gains]).axes) == 1
    assert len(draw([gains, _step(70.0, flow=1.5)]).axes) == 2
    figure = draw([_validation(60.0, gain_a=0.2, alignment_db=20.0), _step(70.0, flow=1.5)])
    assert [axes.get_title(loc="left").split(",")[0] for axes in figure.axes] == [
        "gain over the blurred input",
        "sharp neighbors aligned by the flow",
        "training losses",
    ]
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear", "log"]


def test_time_is_in_minutes_and_in_hours_when_it_is_long() -> None:
    for seconds, unit, end in ((600.0, "minutes", 10.0), (36_000.0, "hours", 10.0)):
        (axes,) = draw([_step(0.0, flow=2.0), _step(seconds, flow=1.5)]).axes
        assert axes.get_xlabel() == unit
        assert axes.lines[0].get_xdata()[-1] == end


def test_many_losses_become_the_means_of_sixty_parts() -> None:
    (axes,) = draw([_step(float(number), flow=1.0 + number % 2) for number in range(600)]).axes
    (line,) = axes.lines
    assert len(line.get_xdata()) == 60
    np.testing.assert_allclose(line.get_ydata(), 1.5)


def test_the_mean_is_of_the_recorded_clips() -> None:
    records = [
        _validation(t, gain_synthetic=5.0, gain_a=0.0, gain_b=g) for t, g in ((60.0, 0.0), (120.0, 2.0))
    ]
    (axes,) = draw(records).axes
    mean, a, b = (_places(axes, name)[-1, 1] for name in ("mean of recorded clips", "a", "b"))
    assert mean == pytest.approx((a + b) / 2, abs=0.01)
    widths = {line.get_label(): line.get_linewidth() for line in axes.lines}
    assert widths["mean of recorded clips"] > widths["a"]


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
