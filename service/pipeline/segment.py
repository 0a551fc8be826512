"""Restoring one segment: decode, form windows, restore, encode, publish; the stages run beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from service.errors import InferenceFailed, JobCanceled, PipelineError, UploadError
from service.inference.engine import DeblurEngine, Frames, Stopped
from service.metrics import ENGINE_SECONDS, FRAMES, STAGE_SECONDS, timed
from service.pipeline.overlap import map_ahead, prefetch
from service.pipeline.prior import Jpeg, heat_map, prior_maps
from service.pipeline.publish import published
from service.pipeline.sharpness import sharpness
from service.pipeline.windows import SIDE, Window, form_windows
from service.tracing import span
from service.types import EncodeOptions, Excerpt, Segment
from service.video.decode import DecodedFrame, decode_range
from service.video.encode import PieceEncoder
from service.video.source import Source, load_source

WINDOWS_AHEAD = 1
"""Windows that are decoded and wait; with those at the engine this is all that a segment holds."""


@dataclass(frozen=True)
class SegmentRequest:
    """What to restore, and where the piece goes."""

    source: Path
    target: Path
    segment: Segment
    encode: EncodeOptions
    window: int
    """Output frames T per call to the engine; the last window of a scene may be shorter."""
    in_flight: int = 2
    """Windows at the engine at a time."""
    excerpt: Excerpt | None = None
    """The part of the source that the segment's frames are counted in."""


@dataclass(frozen=True)
class SegmentResult:
    """A published piece."""

    frames: int
    bytes: int
    seconds: float
    windows: int
    corrupt_frames: int
    """Frames whose damage the decoder concealed."""
    sharpness_before: tuple[float, ...]
    sharpness_after: tuple[float, ...]
    prior: tuple[float, ...]
    """Mean of each input frame's temporal sharpness prior, in 0..1."""
    heat_maps: tuple[Jpeg, ...]
    """The prior of each input frame."""


def restore_segment(
    request: SegmentRequest,
    engine: DeblurEngine,
    on_progress: Callable[[int], None],
    should_stop: Callable[[], bool],
) -> SegmentResult:
    """Restore a segment and publish its piece under ``request.target``; a piece already there is replaced.

    ``on_progress`` gets the number of finished frames after each window; ``should_stop`` is asked before each, and
    by engines that wait, from their threads.
    Raises JobCanceled, PipelineError or what the engine raises; then nothing is left behind.
    """
    began = monotonic()
    source = _load(request)
    with published(request.target) as part:
        work = _Work(source, request, engine)
        with PieceEncoder(part, source, request.encode) as piece:
            work.run(piece, on_progress, should_stop)
        size = part.stat().st_size
    return work.result(size, monotonic() - began)


class _Work:
    """One segment's way through the stages, and what is counted on the way."""

    def __init__(self, source: Source, request: SegmentRequest, engine: DeblurEngine) -> None:
        self._source = source
        self._request = request
        self._engine = engine
        self._over = Event()
        self._done = 0
        self._windows = 0
        self._corrupt = 0
        self._before: list[float] = []
        self._after: list[float] = []
        self._prior: list[float] = []
        self._heat_maps: list[bytes] = []

    def run(
        self, piece: PieceEncoder, on_progress: Callable[[int], None], should_stop: Callable[[], bool]
    ) -> None:
        request = self._request
        windows = form_windows(self._decoded(), request.segment, request.window)

        def stopped() -> bool:
            return self._over.is_set() or should_stop()

        with (
            closing(prefetch(windows, WINDOWS_AHEAD)) as ready,
            closing(
                map_ahead(lambda window: self._restore(window, stopped), ready, request.in_flight)
            ) as done,
            self._ending(),
        ):
            self._check(should_stop)
            for window, frames in done:
                self._write(piece, window, frames)
                on_progress(self._done)
                self._check(should_stop)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """However the work ends, windows that are still at the engine are not waited for."""
        try:
            yield
        finally:
            self._over.set()

    def result(self, size: int, seconds: float) -> SegmentResult:
        return SegmentResult(
            self._done,
            size,
            seconds,
            self._windows,
            self._corrupt,
            tuple(self._before),
            tuple(self._after),
            tuple(self._prior),
            tuple(self._heat_maps),
        )

    def _decoded(self) -> Iterator[DecodedFrame]:
        segment = self._request.segment
        first, stop = max(0, segment.start - SIDE), min(self._source.index.frames, segment.stop + SIDE)
        for frame in timed(decode_range(self._source, first, stop), "decode"):
            self._corrupt += frame.corrupt and segment.start <= frame.number < segment.stop
            yield frame

    def _restore(self, window: Window, stopped: Stopped) -> Frames:
        seen = span("engine", attributes={"cdvd.frame": window.start, "cdvd.frames": len(window.outputs)})
        with seen, STAGE_SECONDS.labels("inference").time(), ENGINE_SECONDS.time():
            restored = self._engine.restore(window.frames, stopped)
        wanted = window.outputs.shape
        if restored.shape != wanted or restored.dtype != window.frames.dtype:
            raise InferenceFailed(
                f"The engine returned {restored.dtype} {list(restored.shape)}, not uint8 {list(wanted)}."
            )
        return restored

    def _write(self, piece: PieceEncoder, window: Window, frames: Frames) -> None:
        with span("encode"), STAGE_SECONDS.labels("encode").time():
            for offset, image in enumerate(frames):
                piece.write(image, window.start + offset)
        FRAMES.inc(len(frames))
        with STAGE_SECONDS.labels("measure").time():
            self._measure(window, frames)
        self._done += len(frames)
        self._windows += 1

    def _measure(self, window: Window, frames: Frames) -> None:
        self._before += sharpness(window.outputs)
        self._after += sharpness(frames)
        maps = prior_maps(window.frames)
        self._prior += [float(one.mean()) / 255 for one in maps]
        self._heat_maps += map(heat_map, maps)

    def _check(self, should_stop: Callable[[], bool]) -> None:
        if self._done < self._request.segment.frames and should_stop():
            raise JobCanceled(f"Canceled after {self._done} frames of the segment.")


def _load(request: SegmentRequest) -> Source:
    try:
        source = load_source(request.source, request.excerpt)
    except UploadError as error:
        raise PipelineError(f"The video cannot be read any more: {error}") from error
    if request.segment.stop > source.index.frames:
        raise PipelineError(
            f"The segment ends at frame {request.segment.stop}, the video has {source.index.frames}."
        )
    return source
