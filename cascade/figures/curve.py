"""The learning curve of a training: ``python -m cascade.figures.curve RUN/log.jsonl --output curve.png``.

Three charts over the time trained: what the validation clips gain, how well flow aligns their frames, and the losses.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade.figures.chart import Line, Times, line_chart
from cascade.figures.comparison import stacked, write_image

_NO_LOSS = frozenset({"time", "seconds", "step", "samples_per_s", "waiting"})
_POINTS = 60
"""Of a line of losses, which are averaged to as many: single batches differ too much to show a trend."""

Record = dict[str, Any]


class LogError(ValueError):
    """The file is no training log; the message names the line."""


def read_log(lines: Iterable[str]) -> list[Record]:
    """The records that lead to the latest state.

    A training that ended without saving goes on from an earlier state: what it had logged beyond that is left
    out, and so is a last line that it did not finish. Raises LogError.
    """
    kept: list[Record] = []
    unfinished = 0
    for number, line in enumerate(lines, start=1):
        if unfinished:
            raise LogError(f"line {unfinished} is not a record of a training")
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


def draw(records: Sequence[Record]) -> NDArray[np.uint8]:
    """The charts, uint8 [H, W, 3] RGB, of those kinds of records that there are. Raises LogError for none."""
    seconds = max((record["seconds"] for record in records), default=0.0)
    unit, label = (3600.0, "hours") if seconds > 2 * 3600 else (60.0, "minutes")
    validations = [record for record in records if record.get("validation")]
    steps = [record for record in records if not record.get("validation")]
    charts = [
        line_chart(title, Times(seconds / unit, label), lines, logarithmic)
        for title, lines, logarithmic in (
            ("gain over the blurred input, dB PSNR", _gains(validations, unit), False),
            ("sharp neighbours aligned by the flow, dB PSNR", _alignment(validations, unit), False),
            ("training losses", _losses(steps, unit), True),
        )
        if lines
    ]
    if not charts:
        raise LogError("it holds neither validations nor losses")
    return stacked(charts)


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
    return [_averaged(_line(key, key, steps, unit)) for key in _keys(steps) if _is_loss(key, steps)]


def _is_loss(key: str, steps: Sequence[Record]) -> bool:
    values = [record[key] for record in steps if key in record]
    return key not in _NO_LOSS and all(isinstance(value, float) and value > 0 for value in values)


def _line(name: str, key: str, records: Sequence[Record], unit: float) -> Line:
    having = [record for record in records if key in record]
    return Line(name, _times(having, unit), [record[key] for record in having])


def _averaged(line: Line) -> Line:
    parts = min(len(line.x), _POINTS)
    x, y = ([float(part.mean()) for part in np.array_split(values, parts)] for values in (line.x, line.y))
    return Line(line.name, x, y)


def _times(records: Sequence[Record], unit: float) -> list[float]:
    return [record["seconds"] / unit for record in records]


def _keys(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m cascade.figures.curve", description=__doc__)
    parser.add_argument("log", type=Path, help="a training's log.jsonl")
    parser.add_argument("--output", type=Path, required=True, help="the picture, PNG or JPEG")
    options = parser.parse_args(arguments)
    try:
        with options.log.open() as lines:
            write_image(options.output, draw(read_log(lines)))
    except (OSError, LogError) as error:
        sys.exit(f"curve: {options.log}: {error}")


if __name__ == "__main__":
    main()
