"""Gives a result the metadata, chapters and timecode of its source."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from service.video.container import video_stream
from service.video.source import Source
from service.video.timing import ticks
from service.video.tracks.carrying import Cut
from service.video.tracks.tags import global_tags, needs_mdta, stream_tags

if TYPE_CHECKING:
    from av.container.core import Chapter  # exists in the type stubs only

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")
_DROPPED_AT_30 = 2
"""Frame numbers that drop-frame timecode leaves out each minute but every tenth, at 30 frames per second."""


def muxer_flags(original: InputContainer, container: str, options: dict[str, str]) -> dict[str, str]:
    """Returns the muxer's options with what the source's metadata needs."""
    if container in ("mp4", "mov") and needs_mdta(original.metadata):
        return {**options, "movflags": options.get("movflags", "") + "+use_metadata_tags"}
    return options


def describe_video(
    video: VideoStream, template: VideoStream, source: Source, original: InputContainer
) -> None:
    """Says what the picture's stream is: its codec's tag, rate, pixel shape, rotation and names."""
    context = video.codec_context
    if video.container.format.name in ("mp4", "mov"):
        context.codec_tag = template.codec_context.codec_tag  # hvc1 rather than hev1, and the kind of ProRes
    context.framerate = source.index.rate
    if source.picture.pixel_aspect:
        context.sample_aspect_ratio = source.picture.pixel_aspect
    if source.picture.display_matrix is not None:
        video.set_display_matrix(source.picture.display_matrix)
    given = video_stream(original)
    video.metadata.update(stream_tags(given.metadata))
    video.metadata.update(_alpha_mark(template))
    video.disposition = given.disposition
    timecode = timecode_of(original)
    if timecode:
        video.metadata["timecode"] = advanced(timecode, source.index.skipped, source.index.rate)


def _alpha_mark(template: VideoStream) -> dict[str, str]:
    """Returns the tag by which Matroska's muxer marks VP9 whose transparency lies beside its frames."""
    return {key: value for key, value in template.metadata.items() if key == "alpha_mode"}


def describe_file(output: OutputContainer, original: InputContainer, cut: Cut) -> None:
    """Gives the file its metadata and chapters."""
    output.metadata.update(
        {key: value for key, value in global_tags(original.metadata).items() if key != "timecode"}
    )
    chapters = [_shifted(chapter, cut) for chapter in original.chapters()]
    kept = [chapter for chapter in chapters if chapter["start"] < chapter["end"]]
    if kept:
        output.set_chapters(kept)


def timecode_of(original: InputContainer) -> str | None:
    """Returns the timecode of the first frame, where the file has one."""
    places = [video_stream(original).metadata, *(stream.metadata for stream in original.streams.data)]
    return next((one["timecode"] for one in (*places, original.metadata) if one.get("timecode")), None)


def advanced(timecode: str, frames: int, rate: Fraction) -> str:
    """Returns the timecode that comes ``frames`` later at ``rate`` frames per second, drop-frame after ``;``."""
    match = _TIMECODE.fullmatch(timecode)
    if not match or not frames:
        return timecode
    hours, minutes, seconds, mark, rest = (int(part) if part.isdigit() else part for part in match.groups())
    fps = max(round(rate), 1)
    dropped = 0 if mark == ":" else _DROPPED_AT_30 * fps // 30
    minute = (int(hours) * 60) + int(minutes)
    number = (minute * 60 + int(seconds)) * fps + int(rest) - dropped * (minute - minute // 10) + frames
    return _written(number, fps, dropped, str(mark))


def _written(number: int, fps: int, dropped: int, mark: str) -> str:
    tens, left = divmod(number, 600 * fps - 9 * dropped)
    number += 9 * dropped * tens
    if left > dropped:
        number += dropped * ((left - dropped) // (60 * fps - dropped))
    seconds, frame = divmod(number, fps)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frame:02}"


def _shifted(chapter: Chapter, cut: Cut) -> Chapter:
    time_base = chapter["time_base"] or Fraction(1, av.time_base)
    shift = ticks(cut.origin, time_base)
    last = chapter["end"] if cut.end is None else min(chapter["end"], ticks(cut.end, time_base))
    return {**chapter, "start": max(chapter["start"] - shift, 0), "end": max(last - shift, 0)}
