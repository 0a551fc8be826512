"""Collects what is noticed about the frames of a segment while they are decoded."""

from __future__ import annotations

from collections.abc import Iterator

from service.findings import Code, Finding, Kind, located, said
from service.types import Segment
from service.video.decode import DecodedFrame
from service.video.fields.pulldown import is_pulldown
from service.video.findings.captions import caption_finding
from service.video.index import FrameIndex


class FrameNotes:
    """Notes the frames of one segment. Frames of its neighbors, which are decoded as context, are not noted."""

    def __init__(self, index: FrameIndex, segment: Segment, codec: str = "") -> None:
        self._index = index
        self._segment = segment
        self._codec = codec
        self._captioned = False
        self._held: list[int] = []
        self._concealed: list[int] = []
        self._deinterlaced = 0
        self._woven = 0
        self._repeating: list[int] = []
        self._cuts: list[int] = []

    def note(self, frame: DecodedFrame) -> None:
        """Notes a decoded frame."""
        if not self._segment.start <= frame.number < self._segment.stop:
            return
        self._captioned = self._captioned or bool(frame.captions)
        self._deinterlaced += frame.deinterlaced
        self._woven += frame.interlaced
        if frame.repeats:
            self._repeating.append(frame.number)
        if frame.pts in self._index.broken:
            return  # that was known before
        if frame.held:
            self._held.append(frame.number)
        elif frame.corrupt:
            self._concealed.append(frame.number)

    def note_cut(self, frame: int) -> None:
        """Notes that a scene begins with a frame."""
        if self._segment.start <= frame < self._segment.stop:
            self._cuts.append(frame)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The frames of the segment with which a scene begins after another one."""
        return tuple(self._cuts)

    def findings(self) -> tuple[Finding, ...]:
        """Returns a finding for each kind of frame that was noted."""
        captions = (caption_finding(self._codec),) if self._captioned else ()
        return (*self._damage(), *self._fields(), *captions)

    def _damage(self) -> Iterator[Finding]:
        for phrase, frames in (("frame_held", self._held), ("frame_concealed", self._concealed)):
            if frames:
                places = [(frame, self._index.seconds(frame)) for frame in frames]
                yield located(said(Kind.LOST, Code.DAMAGE, phrase), places)

    def _fields(self) -> Iterator[Finding]:
        if self._deinterlaced:
            yield said(Kind.CHANGED, Code.INTERLACING, "deinterlaced", places=self._deinterlaced)
        if is_pulldown(self._repeating, self._segment.frames):
            yield said(Kind.CHANGED, Code.INTERLACING, "pulldown", places=len(self._repeating))
        if self._woven:
            yield said(Kind.CHANGED, Code.INTERLACING, "fields_kept", places=self._woven)
