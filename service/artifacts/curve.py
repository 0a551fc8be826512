"""Reads and writes sharpness curves: a small JSON file beside the piece of each segment, one for the finished job."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

MEASURE = "variance_of_laplacian"
"""The measure of ``before`` and ``after``: the variance of the Laplacian of the green channel, in squared 8-bit levels.
More is sharper (Pech-Pacheco et al. 2000, without threshold)."""

Values = tuple[float | None, ...]
DIGITS = 3
"""Decimal places in the file."""


@dataclass(frozen=True)
class Curve:
    """The sharpness of consecutive frames, one value per frame; None for a frame that is not restored yet."""

    start: int
    """Number of the first frame."""
    before: Values
    """Sharpness of the input."""
    after: Values
    """Sharpness of the restored frames."""
    prior: Values
    """Mean of the temporal sharpness prior of the input, in 0..1."""
    cuts: tuple[int, ...] = ()
    """Numbers of the frames with which a shot begins after another one."""

    def to_json(self) -> str:
        """Returns the content of the file."""
        rounded = {name: [_rounded(value) for value in getattr(self, name)] for name in _SERIES}
        return json.dumps({"start": self.start, **rounded, "cuts": self.cuts})


_SERIES = ("before", "after", "prior")
_CURVE = TypeAdapter(Curve)


def read_curve(path: Path) -> Curve:
    """Returns the curve in a file. Raises FileNotFoundError, and ValueError for a file of another form."""
    return _CURVE.validate_json(path.read_bytes())


def merged(curves: Iterable[Curve], frames: int) -> Curve:
    """Returns one curve of ``frames`` frames; frames that no curve has are None."""
    series: dict[str, list[float | None]] = {name: [None] * frames for name in _SERIES}
    cuts: set[int] = set()
    for curve in curves:
        cuts.update(curve.cuts)
        for name, values in series.items():
            given: Sequence[float | None] = getattr(curve, name)
            values[curve.start : curve.start + len(given)] = given
    return Curve(0, **{name: tuple(values) for name, values in series.items()}, cuts=tuple(sorted(cuts)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
