"""Times of pieces and results: in the source's own unit where MP4 can hold it, and counted from zero.

Loads no numpy: the gateway's child processes use it, too.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from service.video.index import FrameIndex

_MAX_TICKS_PER_SECOND = 1_000_000
"""Beyond this, encoders and MP4's 32-bit fields overflow."""
_FINE_TIME_BASE = Fraction(1, 90_000)
_FINE_TICKS_PER_SECOND = 48_000
"""Sound that begins later than the picture does so by whole ticks of the file: in those of 25 frames a second, it would
be up to 20 ms off."""


def piece_time_base(index: FrameIndex) -> Fraction:
    """Returns the seconds per tick of pieces and results: the source's own, unless they are too short for MP4."""
    own = index.time_base
    return own if own.denominator <= _MAX_TICKS_PER_SECOND else _FINE_TIME_BASE


def timescale_options(time_base: Fraction) -> dict[str, str]:
    """Returns MP4 muxer options that keep times exact: by default a start time is rounded to milliseconds.

    The file's ticks divide those of the picture, whose start is then exact, and are so fine that sound keeps its place.
    """
    own = time_base.denominator
    return {
        "video_track_timescale": str(own),
        "movie_timescale": str(own * ceil(_FINE_TICKS_PER_SECOND / own)),
    }


def result_pts(index: FrameIndex, frame: int) -> int:
    """Returns when a frame appears in the result, in ticks of ``piece_time_base``."""
    return ticks((index.pts[frame] - index.origin) * index.time_base, piece_time_base(index))


def ticks(seconds: Fraction, time_base: Fraction) -> int:
    """Returns a time as the nearest whole number of ticks."""
    return round(seconds / time_base)
