"""Tiles cover a frame once, and each is restored with what lies around it."""

from __future__ import annotations

import numpy as np
import pytest

from service.inference.tiled.tiles import MULTIPLE, spans, tiles


@pytest.mark.parametrize(("height", "width", "side"), [(1080, 1920, 512), (2304, 4096, 1024), (264, 64, 128)])
def test_tiles_cover_a_frame_once(height: int, width: int, side: int) -> None:
    overlap = side // 4
    covered = np.zeros((height, width), int)
    for tile in tiles(height, width, side, overlap):
        covered[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop] += 1

    assert (covered == 1).all()


@pytest.mark.parametrize("length", [512, 520, 1080, 1920, 4320, 7680])
def test_a_tile_is_at_most_as_long_as_allowed_and_has_its_overlap(length: int) -> None:
    for span in spans(length, 512, 128):
        assert span.high - span.low <= 512
        assert span.start - span.low == min(128, span.start)
        assert span.high - span.stop == min(128, length - span.stop)
        assert span.low % MULTIPLE == span.high % MULTIPLE == 0


def test_a_frame_that_fits_is_one_tile() -> None:
    (span,) = spans(512, 512, 128)

    assert (span.low, span.high) == (0, 512)


def test_a_side_that_its_overlaps_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        list(spans(1024, 256, 128))
