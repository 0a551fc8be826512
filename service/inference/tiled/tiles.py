"""Cuts a frame into tiles. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MULTIPLE = 8
"""Tiles begin, and frames are padded to end, at multiples of this: the coarsest grid of the restoration network."""
OVERLAP = 128
"""Pixels that a tile is restored with beyond each of its sides, and that are cut off again: the reach of the
restoration network, and of blur that runs over the side."""


@dataclass(frozen=True)
class Span:
    """A tile along one axis, in pixels: ``low`` to ``high`` is restored, and ``start`` to ``stop`` of that stays."""

    low: int
    start: int
    stop: int
    high: int


@dataclass(frozen=True)
class Tile:
    """A part of a frame."""

    rows: Span
    columns: Span


def tiles(height: int, width: int, side: int, overlap: int = OVERLAP) -> Iterator[Tile]:
    """Yields tiles of at most ``side`` pixels per side, overlap included, that cover a frame without gaps.

    All sizes are multiples of MULTIPLE. Raises ValueError for a side that leaves nothing between its overlaps.
    """
    for rows in spans(height, side, overlap):
        for columns in spans(width, side, overlap):
            yield Tile(rows, columns)


def spans(length: int, side: int, overlap: int) -> Iterator[Span]:
    """Yields the tiles along one axis; see `tiles`."""
    if length > side <= 2 * overlap:
        raise ValueError(
            f"A tile's side is more than twice its overlap, which is {overlap}; {side} leaves nothing between."
        )
    start = low = 0
    while low + side < length:
        stop = low + side - overlap
        yield Span(low, start, stop, low + side)
        start, low = stop, stop - overlap
    yield Span(low, start, length, length)
