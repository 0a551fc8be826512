"""Makes whole pictures of interlaced frames, whose odd and even lines were taken at different moments.

FFmpeg's bwdif keeps the lines of a frame's first field and computes the others from the neighbors in space and time:
from the frame before and the frame after. So a picture depends on three frames, and on nothing before them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from service.video.packets.gaps import NumberedFrame

REACH = 1
"""Frames on each side on which a picture depends."""

_FILTER = "mode=send_frame:parity=auto:deint=interlaced"
"""One picture for each frame, the order of the fields by the frame's own flag, and other frames as they are."""
_TIME_BASE = Fraction(1, 25)
"""Filters require times. Those of the result are the index's."""


def deinterlaced(frames: Iterable[NumberedFrame]) -> Iterator[NumberedFrame]:
    """Yields ``frames``, those that say that they are interlaced with deinterlaced pictures; all others untouched.

    The first and the last one lack a neighbor, so give REACH more frames on each side than needed.
    """
    fields: _Deinterlacer | None = None
    before: NumberedFrame | None = None
    for frame in frames:
        if fields is None and frame.picture.interlaced_frame:
            fields = _Deinterlacer(frame.picture)
            if before is not None:
                fields.push(before, wanted=False)
        if fields is None:
            yield frame
        else:
            fields.push(frame)
            yield from fields.finished()
        before = frame
    if fields is not None:
        fields.end()
        yield from fields.finished()


class _Deinterlacer:
    """Runs the filter, which gives a picture for each frame, in order, one frame later."""

    def __init__(self, like: VideoFrame) -> None:
        self._graph = Graph()
        self._source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=_TIME_BASE
        )
        chain = (self._source, self._graph.add("bwdif", _FILTER), self._graph.add("buffersink"))
        for one, other in pairwise(chain):
            one.link_to(other)
        self._sink = chain[-1]
        self._graph.configure()
        self._inside: deque[NumberedFrame | None] = deque()
        self._pushed = 0

    def push(self, frame: NumberedFrame, wanted: bool = True) -> None:
        """Gives a frame to the filter; without ``wanted`` it is only a neighbor."""
        frame.picture.pts, frame.picture.time_base = self._pushed, _TIME_BASE
        self._pushed += 1
        self._inside.append(frame if wanted else None)
        self._source.push(frame.picture)

    def end(self) -> None:
        """Says that no frame follows."""
        self._source.push(None)

    def finished(self) -> Iterator[NumberedFrame]:
        """Yields the frames that the filter is done with."""
        while True:
            try:
                picture = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            frame = self._inside.popleft()
            if frame is not None:
                yield self._result(frame, picture)

    def _result(self, frame: NumberedFrame, picture: object) -> NumberedFrame:
        assert isinstance(picture, VideoFrame)
        interlaced = bool(frame.picture.interlaced_frame)
        return replace(frame, picture=picture, deinterlaced=True) if interlaced else frame
