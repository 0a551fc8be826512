"""Frames restored in tiles are those that the whole graph restores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from skimage.data import coffee

from cascade.synthesis.demo_clip import render_demo_clip
from service.errors.engine import ModelNotFound
from service.errors.job import JobCanceled
from service.inference.engine import Frames
from service.inference.looks import SeveralLooks
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from service.inference.tiled.engine import TiledEngine
from service.inference.tiled.onnx_parts import OnnxParts

LITE, BASE = Path("model_repository/cdvd_lite"), Path("model_repository/cdvd_base")
SIDE = 320


@pytest.fixture(scope="module")
def parts() -> Iterator[OnnxParts]:
    loaded = OnnxParts(LITE, threads=1)
    yield loaded
    loaded.close()


def clip(frames: int, height: int, width: int) -> Frames:
    return np.ascontiguousarray(render_demo_clip(coffee(), frames, height, width)[0])


def off(expected: Frames, found: Frames) -> tuple[float, int]:
    """The share of values more than two levels off, and the largest difference."""
    difference = np.abs(expected.astype(int) - found)
    return float((difference > 2).mean()), int(difference.max())


def test_one_tile_is_the_whole_frame(parts: OnnxParts) -> None:
    window = clip(6, 100, 131)  # neither side a multiple of 8

    found = TiledEngine(parts, 1024).restore(window)

    assert off(OnnxEngine(LITE, threads=1).restore(window), found) <= (1e-4, 4)


def test_tiles_are_the_whole_frame(parts: OnnxParts) -> None:
    window = clip(5, 360, 456)

    expected = OnnxEngine(LITE, threads=1).restore(window)
    found = TiledEngine(parts, SIDE).restore(window)

    share, largest = off(expected, found)
    assert share <= 1e-4
    assert largest <= 8
    assert not np.array_equal(found, window[2:-2])


def test_tiles_of_the_large_model_are_the_whole_frame() -> None:
    window = clip(5, 72, 96)
    whole, tiled = OnnxEngine(BASE, threads=1), TiledEngine(OnnxParts(BASE, threads=1), SIDE)

    assert off(whole.restore(window), tiled.restore(window)) <= (1e-4, 4)


def test_they_are_as_close_to_the_other_runtime(parts: OnnxParts) -> None:
    window = clip(5, 96, 128)

    expected = OpenVinoEngine(LITE, threads=1).restore(window)

    assert off(expected, TiledEngine(parts, SIDE).restore(window))[0] <= 1e-3


def test_several_looks_are_restored_in_tiles(parts: OnnxParts) -> None:
    window = clip(5, 96, 128)

    expected = SeveralLooks(OnnxEngine(LITE, threads=1), 4).restore(window)
    found = SeveralLooks(TiledEngine(parts, SIDE), 4).restore(window)

    assert off(expected, found) <= (1e-4, 4)


def test_the_bytes_do_not_depend_on_the_length_of_windows_or_on_the_run(parts: OnnxParts) -> None:
    window = clip(7, 328, 72)
    engine = TiledEngine(parts, SIDE)

    together = engine.restore(window)
    alone = np.concatenate([engine.restore(window[start : start + 5]) for start in range(3)])

    np.testing.assert_array_equal(together, alone)


def test_what_two_windows_share_is_restored_once() -> None:
    asked: list[int] = []
    window = clip(6, 64, 72)
    loaded = OnnxParts(LITE, threads=1)

    def count() -> bool:
        asked.append(1)
        return False

    with closing(TiledEngine(loaded, SIDE)) as engine:
        engine.restore(window[:5], count)
        first = len(asked)
        engine.restore(window[1:], count)

    assert len(asked) - first < 0.6 * first  # two frames in place of four


def test_a_window_that_nobody_waits_for_ends_at_the_next_tile(parts: OnnxParts) -> None:
    asked = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(JobCanceled):
        TiledEngine(parts, SIDE).restore(clip(5, 360, 456), stopped)
    assert len(asked) == 5


def test_a_model_without_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no parts for tiles"):
        OnnxParts(tmp_path / "old", threads=1)
