"""Restores one segment: decodes, forms windows, restores and encodes them; the stages run beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from service.errors.job import JobCanceled
from service.errors.pipeline import PipelineError
from service.errors.video import VideoError
from service.findings import Finding
from service.inference.engine import DeblurEngine, Frames, Stopped
from service.metrics import ENGINE_SECONDS, FRAMES, STAGE_SECONDS, timed
from service.pipeline.fields import restore_fields
from service.pipeline.notes import FrameNotes
from service.pipeline.overlap import map_ahead, prefetch
from service.pipeline.prior import Jpeg, Maps, heat_map, prior_maps
from service.pipeline.sharpness import sharpness
from service.pipeline.windows import SIDE, Window, form_windows
from service.text import plural
from service.tracing import span
from service.types import EncodeOptions, Excerpt, Segment
from service.video.decode import DecodedFrame, decode_range
from service.video.encoding.layout import needs_originals
from service.video.encoding.pictures import Image, Original
from service.video.encoding.piece import PieceEncoder
from service.video.source import PictureFormat, Source, load_source

WINDOWS_AHEAD = 1
"""Decoded windows that wait for the engine; a segment holds these and the windows at the engine."""


@dataclass(frozen=True)
class SegmentRequest:
    """A segment to restore, and the file that its piece is written to."""

    source: Path
    target: Path
    segment: Segment
    encode: EncodeOptions
    window: int
    """Output frames T per call of the engine; the last window of a scene may be shorter."""
    in_flight: int = 2
    """Most windows at the engine at the same time."""
    lean: bool = False
    """Whether nothing is decoded ahead and nothing held twice, for pictures that fill the memory."""
    excerpt: Excerpt | None = None
    """The part of the source that the segment's frames are counted in."""


@dataclass(frozen=True)
class SegmentResult:
    """What is known of a piece that was written."""

    frames: int
    bytes: int
    seconds: float
    """Wall time of all stages."""
    windows: int
    sharpness_before: tuple[float, ...]
    """Of each input frame; see ``sharpness``."""
    sharpness_after: tuple[float, ...]
    prior: tuple[float, ...]
    """Mean temporal sharpness prior of each input frame, in 0..1."""
    heat_maps: tuple[Jpeg, ...]
    """The prior of each input frame as a JPEG picture."""
    findings: tuple[Finding, ...] = ()
    """What was found of the video on the way."""
    cuts: tuple[int, ...] = ()
    """Frames with which a scene begins after another one."""


@dataclass(frozen=True)
class NewestFrame:
    """The last frame of a window, before and after. Both are uint8 [H, W, 3], RGB, not rotated."""

    number: int
    before: Image
    after: Image
    prior: Jpeg
    """Its heat map."""
    picture: PictureFormat


def restore_segment(
    request: SegmentRequest,
    engine: DeblurEngine,
    on_progress: Callable[[int, NewestFrame], None],
    should_stop: Callable[[], bool],
) -> SegmentResult:
    """Restores a segment and writes its piece to ``request.target``, which the caller publishes or removes.

    ``on_progress`` gets the number of finished frames after each window, and the last of them. ``should_stop`` is asked
    before each window, and from other threads by engines that wait.
    Raises JobCanceled, PipelineError or what the engine raises; the file is then not complete.
    """
    began = monotonic()
    source = _load(request)
    work = _SegmentWork(source, request, engine)
    with PieceEncoder(request.target, source, request.encode) as piece:
        work.run(piece, on_progress, should_stop)
    return work.result(request.target.stat().st_size, monotonic() - began)


@dataclass(frozen=True)
class _Restored:
    """What was made of a window, and measured of it."""

    frames: Frames
    sharpness_before: tuple[float, ...]
    sharpness_after: tuple[float, ...]
    prior: Maps


class _SegmentWork:
    """Takes one segment through the stages and collects what is measured on the way."""

    def __init__(self, source: Source, request: SegmentRequest, engine: DeblurEngine) -> None:
        self._source = source
        self._request = request
        self._engine = engine
        self._ended = Event()
        self._done = 0
        self._windows = 0
        self._notes = FrameNotes(source.index, request.segment, request.encode.codec)
        self._captions: dict[int, bytes] = {}
        """Of the frames that are decoded and not yet written."""
        self._before: list[float] = []
        self._after: list[float] = []
        self._prior: list[float] = []
        self._heat_maps: list[bytes] = []

    def run(
        self,
        piece: PieceEncoder,
        on_progress: Callable[[int, NewestFrame], None],
        should_stop: Callable[[], bool],
    ) -> None:
        request = self._request
        windows = form_windows(
            self._decoded(), request.segment, request.window, self._notes.note_cut, lean=request.lean
        )

        def stopped() -> bool:
            return self._ended.is_set() or should_stop()

        with (
            closing(windows if request.lean else prefetch(windows, WINDOWS_AHEAD)) as ready,
            closing(
                map_ahead(lambda window: self._restore(window, stopped), ready, request.in_flight)
            ) as done,
            self._giving_up_at_the_end(),
        ):
            self._check(should_stop)
            for window, restored in done:
                self._write(piece, window, restored)
                on_progress(self._done, self._newest(window, restored))
                del window, restored  # not while the next ones are made
                self._check(should_stop)

    @contextmanager
    def _giving_up_at_the_end(self) -> Iterator[None]:
        """Has windows that are still at the engine given up, however the work ends."""
        try:
            yield
        finally:
            self._ended.set()

    def result(self, size: int, seconds: float) -> SegmentResult:
        return SegmentResult(
            self._done,
            size,
            seconds,
            self._windows,
            tuple(self._before),
            tuple(self._after),
            tuple(self._prior),
            tuple(self._heat_maps),
            self._notes.findings(),
            self._notes.cuts,
        )

    def _decoded(self) -> Iterator[DecodedFrame]:
        segment = self._request.segment
        first, stop = max(0, segment.start - SIDE), min(self._source.index.frames, segment.stop + SIDE)
        options = self._request.encode
        kept = needs_originals(self._source.picture, options)
        frames = decode_range(self._source, first, stop, options.deinterlace, kept)
        return map(self._noted, timed(frames, "decode"))

    def _noted(self, frame: DecodedFrame) -> DecodedFrame:
        self._notes.note(frame)
        if frame.captions:
            self._captions[frame.number] = frame.captions
        return frame

    def _restore(self, window: Window, stopped: Stopped) -> _Restored:
        """Measures here, too: in a thread of its own, while the engine has the next window and the encoder the last."""
        traced = span("engine", attributes={"cdvd.frame": window.start, "cdvd.frames": len(window.outputs)})
        with traced, STAGE_SECONDS.labels("inference").time(), ENGINE_SECONDS.time():
            frames = restore_fields(window, lambda part: self._engine.restore(part, stopped))
        with STAGE_SECONDS.labels("measure").time():
            maps = prior_maps(window.frames)
            return _Restored(frames, sharpness(window.outputs), sharpness(frames), maps)

    def _write(self, piece: PieceEncoder, window: Window, restored: _Restored) -> None:
        frames = restored.frames
        with span("encode"), STAGE_SECONDS.labels("encode").time():
            for offset, image in enumerate(frames):
                number = window.start + offset
                captions = self._captions.pop(number, b"")
                piece.write(image, number, _original(window, offset), captions)
        FRAMES.inc(len(frames))
        self._before += restored.sharpness_before
        self._after += restored.sharpness_after
        self._prior += [float(one.mean()) / 255 for one in restored.prior]
        self._heat_maps += map(heat_map, restored.prior)
        self._done += len(frames)
        self._windows += 1

    def _newest(self, window: Window, restored: _Restored) -> NewestFrame:
        number = window.start + len(restored.frames) - 1
        return NewestFrame(
            number, window.outputs[-1], restored.frames[-1], self._heat_maps[-1], self._source.picture
        )

    def _check(self, should_stop: Callable[[], bool]) -> None:
        if self._done < self._request.segment.frames and should_stop():
            raise JobCanceled(f"The job was canceled after {plural(self._done, 'frame')} of the segment.")


def _original(window: Window, offset: int) -> Original | None:
    frame = window.originals[offset]
    return None if frame is None else Original(frame, window.outputs[offset])


def _load(request: SegmentRequest) -> Source:
    try:
        source = load_source(request.source, request.excerpt)
    except VideoError as error:
        raise PipelineError(f"The video cannot be read any more: {error}") from error
    if request.segment.stop > source.index.frames:
        raise PipelineError(
            f"The segment ends before frame {request.segment.stop}, and the video has {source.index.frames}."
        )
    return source
