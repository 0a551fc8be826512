"""What grows is told from what goes up and down."""

from __future__ import annotations

import pytest

from benchmarks.reliability.soaking.growth import Series, grown, slope


def series(values: list[float], allowed: float | None = 5.0) -> Series:
    return Series("gateway, memory", "MiB", allowed, 0, [10.0 * at for at in range(len(values))], values)


@pytest.mark.parametrize(
    ("values", "grows"),
    [
        ([100.0 + at for at in range(20)], True),
        ([100.0 + 20 * (at % 2) for at in range(20)], False),
        ([120.0 - at for at in range(20)], False),
        ([100.0 + 0.1 * at for at in range(20)], False),
        ([100.0] * 10 + [110.0] * 10, True),
    ],
)
def test_a_series_that_climbs_beyond_what_is_allowed_has_grown(values: list[float], grows: bool) -> None:
    assert grown(series(values)) is grows
    assert not grown(series(values, allowed=None))


def test_slope_is_by_second() -> None:
    assert slope(series([100.0, 110.0, 120.0])) == pytest.approx(1.0)
    assert slope(series([100.0])) == 0
