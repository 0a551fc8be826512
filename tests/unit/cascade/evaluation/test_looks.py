"""Several looks at a window: which ones, and how they are averaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cascade.evaluation.looks import Frames, several_looks
from cascade.evaluation.restorers import LooksError, load
from tests.support.window_restorer import WINDOW, mark_places


@pytest.mark.parametrize(("looks", "turns"), [(1, [()]), (2, [(), (2,)]), (4, [(), (2, 0), (1, 0), (2, 1)])])
def test_the_result_of_every_stage_is_the_mean_of_its_looks_rounded_once(
    looks: int, turns: list[tuple[int, ...]]
) -> None:
    results = several_looks(mark_places, looks)(WINDOW)
    assert len(results) == 2
    for stage, result in enumerate(results):
        turned = [np.flip(mark_places(np.flip(WINDOW, axes))[stage], axes) for axes in turns]
        wanted = np.rint(np.mean(turned, axis=0, dtype=np.float64))
        assert result.dtype == np.uint8
        np.testing.assert_array_equal(result, wanted)


def test_halves_are_rounded_to_even() -> None:
    def restore(window: Frames) -> list[Frames]:
        return [np.full_like(window[:1], 2 + (window[0, 0, 0, 0] == 9))]

    window = np.zeros((1, 8, 8, 3), np.uint8)
    window[0, 0, 0] = 9
    np.testing.assert_array_equal(several_looks(restore, 2)(window)[0], 2)


def test_a_baseline_takes_one_look(tmp_path: Path) -> None:
    with pytest.raises(LooksError, match="Only networks take several looks, not burst"):
        load("burst", tmp_path, looks=2)
