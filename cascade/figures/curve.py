"""Draws the learning curve of a training: ``python -m cascade.figures.curve RUN/log.jsonl --output curve.png``.

It has three charts over the time trained: what the validation clips gain, how well flow aligns their frames, and the
losses.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cascade.figures.chart import Chart, Line, draw_charts

_NO_LOSS = frozenset({"time", "seconds", "step", "samples_per_s", "made_per_s", "waiting"})
_POINTS = 60
"""Points that a line of losses is averaged to: single batches differ too much to show a trend."""
_LONGEST_IN_MINUTES = 2 * 3600
"""Seconds of a training up to which its time is shown in minutes."""

Record = dict[str, Any]


class LogError(ValueError):
    """Raised for a file that is no log of a training; the message says why."""


def read_log(lines: Iterable[str]) -> list[Record]:
    """Reads the records that lead to the latest state.

    A training that ended without saving goes on from an earlier state: records beyond that are left out, and so is
    an unfinished last line. Raises LogError for other lines that are no records.
    """
    kept: list[Record] = []
    unfinished = 0
    for number, line in enumerate(lines, start=1):
        if unfinished:
            raise LogError(f"Line {unfinished} is not a record of a training.")
        try:
            record = json.loads(line)
            seconds = record["seconds"]
        except (ValueError, TypeError, KeyError):
            unfinished = number
            continue
        while kept and kept[-1]["seconds"] > seconds:
            kept.pop()
        kept.append(record)
    return kept


def draw(records: Sequence[Record]) -> Figure:
    """Draws the charts of those kinds of records that there are. Raises LogError for none."""
    end = max((record["seconds"] for record in records), default=0.0)
    unit, name = (3600.0, "hours") if end > _LONGEST_IN_MINUTES else (60.0, "minutes")
    charts = charts_of(records, unit)
    if not charts:
        raise LogError("The log holds neither validations nor losses.")
    return draw_charts(charts, end / unit, name)


def charts_of(records: Sequence[Record], unit: float) -> list[Chart]:
    """Returns up to three charts over the time trained, which is counted in ``unit`` seconds."""
    validations = [record for record in records if record.get("validation")]
    steps = [record for record in records if not record.get("validation")]
    charts = [
        Chart("gain over the blurred input, dB PSNR", _gains(validations, unit)),
        Chart("sharp neighbors aligned by the flow, dB PSNR", _alignment(validations, unit)),
        Chart("training losses", _losses(steps, unit), logarithmic=True),
    ]
    return [chart for chart in charts if chart.lines]


def _gains(validations: Sequence[Record], unit: float) -> list[Line]:
    lines = [
        _line(key.removeprefix("gain_"), key, validations, unit)
        for key in _keys(validations)
        if key.startswith("gain_")
    ]
    recorded = [key for key in _keys(validations) if key.startswith("gain_") and key != "gain_synthetic"]
    if len(recorded) > 1:
        complete = [record for record in validations if all(key in record for key in recorded)]
        means = [float(np.mean([record[key] for key in recorded])) for record in complete]
        if means:
            lines.append(Line("mean of recorded clips", _times(complete, unit), means, thick=True))
    return lines


def _alignment(validations: Sequence[Record], unit: float) -> list[Line]:
    return [
        _line("all validation clips", key, validations, unit)
        for key in _keys(validations)
        if key == "alignment_db"
    ]


def _losses(steps: Sequence[Record], unit: float) -> list[Line]:
    return [_average(_line(key, key, steps, unit)) for key in _keys(steps) if _is_loss(key, steps)]


def _is_loss(key: str, steps: Sequence[Record]) -> bool:
    values = [record[key] for record in steps if key in record]
    return key not in _NO_LOSS and all(isinstance(value, float) and value > 0 for value in values)


def _line(name: str, key: str, records: Sequence[Record], unit: float) -> Line:
    with_key = [record for record in records if key in record]
    return Line(name, _times(with_key, unit), [record[key] for record in with_key])


def _average(line: Line) -> Line:
    parts = min(len(line.x), _POINTS)
    x, y = ([float(part.mean()) for part in np.array_split(values, parts)] for values in (line.x, line.y))
    return Line(line.name, x, y)


def _times(records: Sequence[Record], unit: float) -> list[float]:
    return [record["seconds"] / unit for record in records]


def _keys(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m cascade.figures.curve", description=__doc__)
    parser.add_argument("log", type=Path, help="log.jsonl of a training")
    parser.add_argument("--output", type=Path, required=True, help="the picture: PNG, JPEG, SVG or PDF")
    options = parser.parse_args(arguments)
    try:
        with options.log.open() as lines:
            draw(read_log(lines)).savefig(options.output)
    except (OSError, ValueError) as error:
        sys.exit(f"curve: {error}")


if __name__ == "__main__":
    main()
