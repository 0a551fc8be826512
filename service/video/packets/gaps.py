"""Numbers decoded pictures, and fills the gaps that frames leave that do not decode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from av.video.frame import VideoFrame

from service.video.index import FrameIndex


@dataclass(frozen=True)
class NumberedFrame:
    """A frame in presentation order."""

    number: int
    picture: VideoFrame
    held: bool = False
    """Whether the frame's own packet does not decode, so that the picture is its neighbor's."""

    corrupt: bool = False
    """Whether the decoder concealed damaged data."""
    deinterlaced: bool = False
    repeats: bool = False
    """Whether one of its two fields is that of the frame before."""


def without_gaps(
    pictures: Iterable[VideoFrame], index: FrameIndex, start: int, stop: int
) -> Iterator[NumberedFrame]:
    """Yields the frames ``start <= number < stop``, each once and in order; holds two pictures at a time.

    ``pictures`` have ticks of ``index`` as times and may begin before ``start``. A frame without a picture has the one
    before it, or the one after it where none is before; where there are no pictures at all, frames are absent.
    """
    wanted, held_at = start, -1
    held: VideoFrame | None = None
    for tick, picture in _shown(pictures):
        here = index.first_from(tick)
        for number in range(wanted, min(here, stop)):
            yield NumberedFrame(number, held or picture, held=True)
        if wanted <= here < stop and index.pts[here] == tick:
            yield NumberedFrame(here, picture, corrupt=bool(picture.is_corrupt))
            here += 1
        wanted = max(wanted, here)
        if wanted >= stop:
            return
        if held is None or tick > held_at:  # damage can put pictures out of order
            held, held_at = picture, tick
    if held is not None:
        for number in range(wanted, stop):
            yield NumberedFrame(number, held, held=True)


def _shown(pictures: Iterable[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    """Yields each picture with its tick, but for frames that no player shows."""
    for picture in pictures:
        if picture.pts is not None:
            yield picture.pts, picture
