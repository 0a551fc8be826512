"""Forms the engine's windows from a stream of frames: T output frames and two of context on each side.

Context never crosses a scene cut or the ends of the video; there it is mirrored: before the first frames
0, 1, 2 come 2, 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from service.inference.engine import Frames
from service.pipeline.scenes import Coarse, are_of_two_scenes, coarse
from service.types import CONTEXT_FRAMES, Segment
from service.video.decode import DecodedFrame

SIDE = CONTEXT_FRAMES // 2
"""Context frames on each side of the output frames."""


@dataclass(frozen=True)
class Window:
    """The frames of one call of the engine."""

    start: int
    """Number of the first output frame."""
    frames: Frames
    """uint8 [T+4, H, W, 3], RGB."""
    originals: tuple[VideoFrame | None, ...] = ()
    """The output frames as they were decoded, where they are needed."""
    interlaced: tuple[bool, ...] = ()
    """Whether each output frame consists of two fields."""

    @property
    def outputs(self) -> Frames:
        """The input frames that the engine restores, without their context: uint8 [T, H, W, 3], RGB."""
        return self.frames[SIDE:-SIDE]


def mirrored(position: int, low: int, high: int) -> int:
    """Reflects ``position`` into ``low <= position < high``, as often as a short scene needs."""
    last = high - low - 1
    if last == 0:
        return low
    offset = (position - low) % (2 * last)
    return low + min(offset, 2 * last - offset)


def form_windows(
    frames: Iterable[DecodedFrame],
    segment: Segment,
    length: int,
    on_cut: Callable[[int], None],
    *,
    lean: bool = False,
) -> Generator[Window]:
    """Yields windows that together restore every frame of ``segment`` once, in order.

    ``frames``: the segment's frames and up to two on each side, in order. At most ``length`` + 5 frames are held.
    ``length``: output frames of a window; the first of the segment has what is left over when the others have as many,
    so that somebody who watches sees the first frames soon. The last window of a scene may have fewer.
    ``on_cut`` gets the number of each frame with which a scene begins. ``lean``: whether the frames that are held share
    the memory of the last window, which then stays until the next is formed.
    """
    scene = _Scene(segment, length, lean=lean)
    last: Coarse | None = None
    for frame in frames:
        seen = coarse(frame.image)
        if last is not None and are_of_two_scenes(last, seen):
            on_cut(frame.number)
            yield from scene.finish()
        last = seen
        scene.held.append(frame)
        del frame  # not beside a lean window
        yield from scene.full_windows()
    yield from scene.finish()


class _Scene:
    """Holds the frames of the current scene that are still needed, and the number of the next frame to restore."""

    def __init__(self, segment: Segment, length: int, *, lean: bool) -> None:
        self.held: deque[DecodedFrame] = deque()
        self._next = segment.start
        self._stop = segment.stop
        self._length = length
        self._first = segment.frames % length or length
        self._start = segment.start
        self._lean = lean

    def full_windows(self) -> Iterator[Window]:
        """Yields the windows of full length whose context has arrived."""
        while self._next + self._wanted + SIDE <= self._high and self._next + self._wanted <= self._stop:
            yield self._window(self._wanted)

    def finish(self) -> Iterator[Window]:
        """Yields the rest of the scene, mirrored at its end; then forgets the scene."""
        while self.held and self._next < min(self._high, self._stop):
            yield self._window(min(self._wanted, min(self._high, self._stop) - self._next))
        self.held.clear()

    @property
    def _wanted(self) -> int:
        """Frames of the next window."""
        return self._first if self._next == self._start else self._length

    @property
    def _high(self) -> int:
        """One more than the number of the newest frame."""
        return self.held[-1].number + 1

    def _window(self, length: int) -> Window:
        low, start = self.held[0].number, self._next
        wanted = range(start - SIDE, start + length + SIDE)
        outputs = [self.held[number - low] for number in range(start, start + length)]
        chosen = [self.held[mirrored(number, low, self._high) - low].image for number in wanted]
        self._next = start + length
        while self.held and self.held[0].number < self._next - SIDE:
            self.held.popleft()
        originals = tuple(frame.original for frame in outputs)
        frames = np.stack(chosen)
        if self._lean:
            self._share(dict(zip(wanted, frames, strict=True)))
        return Window(start, frames, originals, tuple(frame.interlaced for frame in outputs))

    def _share(self, images: dict[int, NDArray[np.uint8]]) -> None:
        """Has the frames that are held use these ``images`` of theirs in place of their own."""
        self.held = deque(
            replace(frame, image=images[frame.number]) if frame.number in images else frame
            for frame in self.held
        )
