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

from service.findings import Code, Finding, Kind
from service.video.container import open_video, video_stream
from service.video.ranged import RangedFile
from service.video.tracks.coding import SoundCoding, lossless, lossy
from service.video.tracks.layouts import is_assumed, layout_of
from service.video.tracks.naming import LABELS, codec_name, title_of
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
        """Returns why the stream is not copied; None where it is."""
        label = LABELS[self._container]
        if sound == "compatible" and self._codec not in _COMPATIBLE[self._container]:
            return "sound=compatible asks for it"
        if sound != "copy" and self._container == "mp4" and self._codec.startswith(_UNPLAYED):
            return f"players of {label} do not know {self._codec}"
        return (
            None if self._trial.takes(self._stream, self._layout) else f"{label} does not take {self._codec}"
        )

    def _codings(self, sound: str) -> Iterator[SoundCoding]:
        context, layout = self._stream.codec_context, self._layout or ""
        exact = None if sound == "compatible" else lossless(context, layout, self._container)
        if exact:
            yield exact
        yield lossy(context, layout, self._container)

    def _copied(self) -> TrackPlan:
        text = f"{title_of(self._stream)} is copied, packet by packet{self._assumed()}."
        finding = Finding(Kind.KEPT, Code.SOUND, text, self._stream.index)
        return TrackPlan(self._stream.index, Way.COPY, finding, self._layout)

    def _coded(self, coding: SoundCoding, reason: str) -> TrackPlan:
        how = "sample by sample the same" if coding.exact else "coded anew"
        how = "rounded to 24 bits" if coding.rounded else how
        text = f"{title_of(self._stream)} is stored as {coding.name}, {how}{self._assumed()}: {reason}."
        kind = Kind.KEPT if coding.exact else Kind.CHANGED
        finding = Finding(kind, Code.SOUND, text, self._stream.index)
        return TrackPlan(self._stream.index, Way.CODE, finding, self._layout, coding)

    def _unwanted(self) -> TrackPlan:
        text = f"{title_of(self._stream)} is left out, as was asked for."
        finding = Finding(Kind.CHANGED, Code.SOUND, text, self._stream.index)
        return TrackPlan(self._stream.index, Way.ABSENT, finding)

    def _lost(self, reason: str) -> TrackPlan:
        finding = Finding(
            Kind.LOST, Code.SOUND, f"{title_of(self._stream)} is left out: {reason}.", self._stream.index
        )
        return TrackPlan(self._stream.index, Way.ABSENT, finding)

    def _assumed(self) -> str:
        if self._stream.codec_context is None or not is_assumed(self._stream.codec_context):
            return ""
        return f", its channels taken as {self._layout}" if self._layout else ""


def _subtitles(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    codec = codec_name(stream)
    if trial.takes(stream):
        return _copy(stream, Code.SUBTITLES)
    if codec in _TEXT_CODECS:
        text = f"{title_of(stream)} are stored as plain text ({text_codec(container)}), without styles."
        return TrackPlan(stream.index, Way.TEXT, Finding(Kind.CHANGED, Code.SUBTITLES, text, stream.index))
    return _absent(stream, Code.SUBTITLES, f"{LABELS[container]} does not take {codec}")


def _video(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    if stream.disposition & Disposition.attached_pic:
        return _cover(stream, trial, container)
    if trial.takes(stream):
        return _copy(stream, Code.VIDEO_STREAMS)
    return _absent(stream, Code.VIDEO_STREAMS, _refusal(container))


def _cover(stream: Stream, trial: Trial, container: str) -> TrackPlan:
    if container == "mkv":
        finding = Finding(Kind.KEPT, Code.COVER, "The cover picture is copied.", stream.index)
        return TrackPlan(stream.index, Way.ATTACH, finding)
    return (
        _copy(stream, Code.COVER)
        if trial.shows_cover(stream)
        else _absent(stream, Code.COVER, _refusal(container))
    )


def _attachment(stream: Stream, container: str) -> TrackPlan:
    if container != "mkv":
        return _absent(stream, Code.ATTACHMENTS, _refusal(container))
    finding = Finding(Kind.KEPT, Code.ATTACHMENTS, f"{title_of(stream)} is copied.", stream.index)
    return TrackPlan(stream.index, Way.ATTACH, finding)


def _data(stream: Stream, original: InputContainer, trial: Trial, container: str) -> TrackPlan:
    if stream.metadata.get("timecode"):
        return _elsewhere(stream, Code.TIMECODE, f"The timecode {stream.metadata['timecode']} is kept.")
    if (
        stream.discard is Discard.all and original.chapters()
    ):  # QuickTime's chapter track; FFmpeg reads it itself
        return _elsewhere(stream, Code.CHAPTERS, "The track that names the chapters is kept as chapters.")
    return (
        _copy(stream, Code.DATA) if trial.takes(stream) else _absent(stream, Code.DATA, _refusal(container))
    )


def _copy(stream: Stream, code: Code) -> TrackPlan:
    verb = "are" if stream.type == "subtitle" else "is"
    text = f"{title_of(stream)} {verb} copied, packet by packet."
    return TrackPlan(stream.index, Way.COPY, Finding(Kind.KEPT, code, text, stream.index))


def _elsewhere(stream: Stream, code: Code, text: str) -> TrackPlan:
    return TrackPlan(stream.index, Way.ABSENT, Finding(Kind.KEPT, code, text, stream.index))


def _absent(stream: Stream, code: Code, reason: str) -> TrackPlan:
    verb = "are" if stream.type == "subtitle" else "is"
    text = f"{title_of(stream)} {verb} left out: {reason}."
    return TrackPlan(stream.index, Way.ABSENT, Finding(Kind.LOST, code, text, stream.index))


def _refusal(container: str) -> str:
    return f"{LABELS[container]} does not take it"
