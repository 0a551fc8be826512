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

    @property
    def corrupt(self) -> bool:
        """Whether the decoder concealed damaged data."""
        return not self.held and bool(self.picture.is_corrupt)


def without_gaps(
    pictures: Iterable[VideoFrame], index: FrameIndex, start: int, stop: int
) -> Iterator[NumberedFrame]:
    """Yields the frames ``start <= number < stop``, each once and in order; holds two pictures at a time.

    ``pictures`` have ticks of ``index`` as times and may begin before ``start``. A frame without a picture has the one
    before it, or the one after it where none is before; where there are no pictures at all, frames are absent.
    """
    wanted = start
    held: VideoFrame | None = None
    for picture in pictures:
        if picture.pts is None:
            continue  # a frame that no player shows
        here = index.first_from(picture.pts)
        for number in range(wanted, min(here, stop)):
            yield NumberedFrame(number, held or picture, held=True)
        if wanted <= here < stop and index.pts[here] == picture.pts:
            yield NumberedFrame(here, picture)
            here += 1
        wanted = max(wanted, here)
        if wanted >= stop:
            return
        held = _later(held, picture)
    if held is not None:
        for number in range(wanted, stop):
            yield NumberedFrame(number, held, held=True)


def _later(one: VideoFrame | None, other: VideoFrame) -> VideoFrame:
    """Returns the picture that is shown later; damage can put pictures out of order."""
    return other if one is None or (one.pts or 0) < (other.pts or 0) else one
