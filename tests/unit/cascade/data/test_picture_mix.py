"""Generated pictures, and their share among photographs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cascade.data.picture_mix import mix_pictures, mix_pictures_by_processes
from cascade.synthesis.dead_leaves import dead_leaves
from cascade.synthesis.man_made import man_made_picture

Maker = Callable[[tuple[int, int], np.random.Generator], np.ndarray]


@pytest.mark.parametrize("make", [dead_leaves, man_made_picture])
def test_generated_pictures_are_repeatable_new_each_time_and_full_of_edges(make: Maker) -> None:
    rng = np.random.default_rng(7)
    first, second = make((120, 160), rng), make((120, 160), rng)
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, make((120, 160), np.random.default_rng(7)))
    assert not np.array_equal(first, second)
    assert np.abs(np.diff(first.astype(int), axis=1)).mean() > 4


def test_leaves_of_every_size_leave_many_distinct_colors() -> None:
    picture = dead_leaves((128, 128), np.random.default_rng(0))
    assert len(np.unique((picture // 16).reshape(-1, 3), axis=0)) > 100


def test_the_mixture_has_the_share_that_was_asked_for() -> None:
    photos = [np.full((8, 8, 3), index, np.uint8) for index in range(8)]
    mixed = mix_pictures(photos, 0.2, np.random.default_rng(0))
    assert len(mixed) == 10
    assert all(kept is given for kept, given in zip(mixed, photos, strict=False))
    assert mix_pictures(photos, 0.0, np.random.default_rng(0)) == photos


def test_processes_make_the_pictures_that_one_would() -> None:
    photos = [np.full((8, 8, 3), index, np.uint8) for index in range(2)]
    alone = mix_pictures_by_processes(photos, 0.5, seed=3, workers=0)
    together = mix_pictures_by_processes(photos, 0.5, seed=3, workers=2)
    assert len(alone) == 4
    assert not np.array_equal(alone[2], alone[3])
    for picture, same in zip(alone, together, strict=True):
        np.testing.assert_array_equal(picture, same)


def test_a_share_without_photographs_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        mix_pictures([], 1.0, np.random.default_rng(0))
