"""Decides for each stream beside the picture how it gets into a result: copied, coded anew, or not at all.

What a container takes is not read from a list: the stream's header and its first packet are written for trial.
Loads no numpy: the probe's child uses it, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition, Stream

from service.findings import Code, Finding, Kind, said
from service.video.container import open_video, video_stream
from service.video.ranged import RangedFile
from service.video.tracks.coding import SoundCoding, lossless, lossy
from service.video.tracks.layouts import is_assumed, layout_of
from service.video.tracks.naming import LABELS, codec_name, titled
from service.video.tracks.trial import Trial


class Way(Enum):
    """How a stream gets into the result."""

    COPY = auto()
    """Packet by packet."""
    CODE = auto()
    """Sound, decoded and encoded."""
    TEXT = auto()
    """Subtitles, as plain text."""
    ATTACH = auto()
    """An attached file, or a cover as one."""
    ABSENT = auto()
    """By other means (chapters, timecode), or not at all."""


@dataclass(frozen=True)
class TrackPlan:
    """What is done with one stream of a source."""

    stream: int
    way: Way
    finding: Finding
    layout: str | None = None
    """The channel layout of sound."""
    coding: SoundCoding | None = None
    """Of sound that is coded anew."""


_TEXT_CODECS = {"subrip", "srt", "ass", "ssa", "webvtt", "text", "mov_text"}
_TEXT_OF = {"mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": "webvtt"}
_COMPATIBLE = {"mp4": {"aac"}, "mov": {"aac"}, "mkv": {"aac"}, "webm": {"opus", "vorbis"}}
_UNPLAYED = ("pcm_", "truehd", "mlp")
"""Sound that FFmpeg writes into MP4, but that browsers and FFmpeg 5.1 do not play or play as noise."""
_FRAGILE = {"tta"}
"""Sound whose last packet decodes only where the file's duration, in milliseconds, gives its number of samples."""


def plan_tracks(media: Path | RangedFile, container: str, sound: str) -> tuple[TrackPlan, ...]:
    """Returns a plan for each stream but the video that is restored. Raises what ``open_video`` raises."""
    with open_video(media) as original:
        return tuple(_plans(original, Trial.of(media, container), container, sound))


def text_codec(container: str) -> str:
    """Returns the codec of plain text in a container."""
    return _TEXT_OF[container]


def _plans(original: InputContainer, trial: Trial, container: str, sound: str) -> Iterator[TrackPlan]:
    restored = video_stream(original).index
    for stream in original.streams:
        if stream.index == restored:
            continue
        if isinstance(stream, AudioStream):
            yield _SoundPlanner(stream, trial, container).plan(sound)
        elif stream.type == "subtitle":
            yield _subtitles(stream, trial, container)
        elif stream.type == "video":
            yield _video(stream, trial, container)
        elif stream.type == "attachment":
            yield _attachment(stream, container)
        else:
            yield _data(stream, original, trial, container)


class _SoundPlanner:
    """Decides about one stream of sound."""

    def __init__(self, stream: AudioStream, trial: Trial, container: str) -> None:
        self._stream, self._trial, self._container = stream, trial, container
        self._codec = codec_name(stream)
        self._layout = layout_of(stream.codec_context) if stream.codec_context else None

    def plan(self, sound: str) -> TrackPlan:
        if sound == "none":
            return self._unwanted()
        reason = self._not_copied(sound)
        if reason is None:
            return self._copied()
        if sound == "copy" or self._layout is None or self._stream.codec_context is None:
            return self._lost(reason)
        for coding in self._codings(sound):
            if self._trial.encodes(coding):
                return self._coded(coding, reason)
        return self._lost(reason)

    def _not_copied(self, sound: str) -> str | None:
        """Returns why the stream is not copied, as the part of a phrase; None where it is."""
        if sound == "compatible" and self._codec not in _COMPATIBLE[self._container]:
            return "part.asked"
        unplayed = self._container == "mp4" and self._codec.startswith(_UNPLAYED)
        if sound != "copy" and (unplayed or self._codec in _FRAGILE):
            return "part.unplayed"
        return None if self._trial.takes(self._stream, self._layout) else "part.untaken"

    def _codings(self, sound: str) -> Iterator[SoundCoding]:
        context, layout = self._stream.codec_context, self._layout or ""
        exact = None if sound == "compatible" else lossless(context, layout, self._container)
        if exact:
            yield exact
        yield lossy(context, layout, self._container)

    def _copied(self) -> TrackPlan:
        finding = self._said(Kind.KEPT, "sound_copied_assumed" if self._assumed else "stream_copied")
        return TrackPlan(self._stream.index, Way.COPY, finding, self._layout)

    def _coded(self, coding: SoundCoding, reason: str) -> TrackPlan:
        how = "part.exact" if coding.exact else "part.coded"
        how = "part.rounded" if coding.rounded else how
        phrase = "sound_stored_assumed" if self._assumed else "sound_stored"
        kind = Kind.KEPT if coding.exact else Kind.CHANGED
        finding = self._said(kind, phrase, stored=coding.name, how=how, reason=reason)
        return TrackPlan(self._stream.index, Way.CODE, finding, self._layout, coding)

    def _unwanted(self) -> TrackPlan:
        return TrackPlan(self._stream.index, Way.ABSENT, self._said(Kind.CHANGED, "sound_unwanted"))

    def _lost(self, reason: str) -> TrackPlan:
        finding = self._said(Kind.LOST, "stream_dropped", reason=reason)
        return TrackPlan(self._stream.index, Way.ABSENT, finding)

    def _said(self, kind: Kind, phrase: str, **more: str) -> Finding:
        own = {"codec": self._codec, "container": LABELS[self._container], "layout": self._layout or ""}
        values = {**titled(self._stream), **own, **more}
        return said(kind, Code.SOUND, phrase, values, stream=self._stream.index)

    @property
    def _assumed(self) -> bool:
        context = self._stream.codec_context
        return context is not None and is_assumed(context) and bool(self._layout)


def _subtitles(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    codec = codec_name(stream)
    if trial.takes(stream):
        return _copy(stream, Code.SUBTITLES, "subtitles_copied")
    if codec in _TEXT_CODECS:
        values = {**titled(stream), "stored": text_codec(container)}
        finding = said(Kind.CHANGED, Code.SUBTITLES, "subtitles_as_text", values, stream=stream.index)
        return TrackPlan(stream.index, Way.TEXT, finding)
    more = {"container": LABELS[container], "codec": codec, "reason": "part.untaken"}
    values = {**titled(stream), **more}
    finding = said(Kind.LOST, Code.SUBTITLES, "subtitles_dropped", values, stream=stream.index)
    return TrackPlan(stream.index, Way.ABSENT, finding)


def _video(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    if stream.disposition & Disposition.attached_pic:
        return _cover(stream, trial, container)
    if trial.takes(stream):
        return _copy(stream, Code.VIDEO_STREAMS)
    return _absent(stream, Code.VIDEO_STREAMS, container)


def _cover(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    if container == "mkv":
        finding = said(Kind.KEPT, Code.COVER, "cover_copied", stream=stream.index)
        return TrackPlan(stream.index, Way.ATTACH, finding)
    return _copy(stream, Code.COVER) if trial.shows_cover(stream) else _absent(stream, Code.COVER, container)


def _attachment(stream: Stream, container: str) -> TrackPlan:
    if container != "mkv":
        return _absent(stream, Code.ATTACHMENTS, container)
    finding = said(Kind.KEPT, Code.ATTACHMENTS, "attachment_copied", titled(stream), stream=stream.index)
    return TrackPlan(stream.index, Way.ATTACH, finding)


def _data(stream: Stream, original: InputContainer, trial: Trial, container: str) -> TrackPlan:
    if stream.metadata.get("timecode"):
        timecode = stream.metadata["timecode"]
        finding = said(Kind.KEPT, Code.TIMECODE, "timecode_kept", {"timecode": timecode}, stream=stream.index)
        return TrackPlan(stream.index, Way.ABSENT, finding)
    if (
        stream.discard is Discard.all and original.chapters()
    ):  # QuickTime's chapter track; FFmpeg reads it itself
        finding = said(Kind.KEPT, Code.CHAPTERS, "chapter_track_kept", stream=stream.index)
        return TrackPlan(stream.index, Way.ABSENT, finding)
    return _copy(stream, Code.DATA) if trial.takes(stream) else _absent(stream, Code.DATA, container)


def _copy(stream: Stream, code: Code, phrase: str = "stream_copied") -> TrackPlan:
    finding = said(Kind.KEPT, code, phrase, titled(stream), stream=stream.index)
    return TrackPlan(stream.index, Way.COPY, finding)


def _absent(stream: Stream, code: Code, container: str) -> TrackPlan:
    values = {**titled(stream), "container": LABELS[container], "reason": "part.refused"}
    finding = said(Kind.LOST, code, "stream_dropped", values, stream=stream.index)
    return TrackPlan(stream.index, Way.ABSENT, finding)
