"""What a result keeps of everything beside the picture, and of what is said about the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from service.findings import Code, Finding, Kind, said
from service.types import EncodeOptions
from service.video.container import decoder_of, open_video, packets_of, video_stream
from service.video.findings.captions import caption_finding
from service.video.frame_limit import frame_limit
from service.video.headers import boxes
from service.video.headers.programs import programs_of
from service.video.ranged import RangedFile
from service.video.tracks.naming import LABELS, titled
from service.video.tracks.plan import plan_tracks
from service.video.tracks.tags import content, global_tags, unheld

_SAID = {Code.CROP: "part.crop", Code.SPHERICAL: "part.spherical", Code.STEREO: "part.stereo"}
_SIDE_DATA = {Type.SPHERICAL: Code.SPHERICAL, Type.STEREO3D: Code.STEREO, Type.A53_CC: Code.CAPTIONS}


def track_findings(
    media: Path | RangedFile, options: EncodeOptions, captioned: bool = False
) -> Iterator[Finding]:
    """Yields a finding for each stream, and for the file's metadata. Raises what ``open_video`` raises.

    ``captioned``: whether packets are known to carry captions; the first picture tells, too.
    """
    for plan in plan_tracks(media, options.container, options.sound):
        yield plan.finding
    yield from _shown(media, options, captioned)
    with open_video(media) as original:
        yield from _programs(media, original, options.container)
        yield from _described(original, options)


def _programs(media: Path | RangedFile, original: InputContainer, container: str) -> Iterator[Finding]:
    """Yields what becomes of several programs; no container of results has them."""
    programs = programs_of(media) if original.format.name == "mpegts" else ()
    if len(programs) > 1:
        indexes = {stream.id: stream.index for stream in original.streams}
        streams = {one.number: [str(indexes[pid]) for pid in one.pids if pid in indexes] for one in programs}
        parts = "; ".join(f"{number}: {', '.join(held)}" for number, held in streams.items())
        values = {"container": LABELS[container], "streams": parts}
        yield said(Kind.LOST, Code.PROGRAMS, "programs_dropped", values, places=len(programs))


def _shown(media: Path | RangedFile, options: EncodeOptions, captioned: bool) -> Iterator[Finding]:
    """Yields what says how the picture is to be seen: its boxes are copied between MP4 and MOV, and lost elsewhere."""
    found = {boxes.CODES[kind] for kind in boxes.source_boxes(media)}
    container = options.container
    kept = found if container in ("mp4", "mov") else set()
    coded = _coded_side_data(media)
    if kept & {Code.SPHERICAL}:
        coded.discard(Code.STEREO)  # the spherical box says both
    for code in sorted(found | coded | ({Code.CAPTIONS} if captioned else set())):
        if code is Code.CAPTIONS:
            yield caption_finding(options.codec)
        elif code in kept:
            yield said(Kind.KEPT, code, "shown_copied", {"what": _SAID[code]})
        else:
            yield said(
                Kind.LOST, code, "shown_dropped", {"what": _SAID[code], "container": LABELS[container]}
            )


def _coded_side_data(media: Path | RangedFile) -> set[Code]:
    """Returns what the first picture says of itself."""
    with open_video(media) as original:
        stream = video_stream(original)
        decoder = decoder_of(stream, frame_limit(), threads=1)
        for frame in _decodable(original, stream, decoder):
            try:
                data: Mapping[Any, Any] = frame.side_data  # the stub knows the names of types only
            except ValueError:
                return (
                    set()
                )  # PyAV knows no name for data of another type, such as EXIF, and then tells of none
            return {code for kind, code in _SIDE_DATA.items() if data.get(kind) is not None}
    return set()


def _decodable(
    original: InputContainer, stream: VideoStream, decoder: VideoCodecContext
) -> Iterator[VideoFrame]:
    for packet in packets_of(original, stream):
        with suppress(av.FFmpegError):
            yield from decoder.decode(packet)


def _described(original: InputContainer, options: EncodeOptions) -> Iterator[Finding]:
    container = options.container
    tags = content(global_tags(original.metadata))
    if tags:
        names = ", ".join(sorted(tags))
        yield said(Kind.KEPT, Code.METADATA, "metadata_kept", {"count": len(tags), "names": names})
    chapters = original.chapters()
    if chapters:
        yield said(Kind.KEPT, Code.CHAPTERS, "chapters_kept", {"count": len(chapters)})
    for stream in original.streams:
        missing = unheld(stream.metadata, container)
        unwanted = stream.type == "audio" and options.sound == "none"
        if missing and not unwanted and stream.type != "attachment":
            values = {**titled(stream), "container": LABELS[container], "tags": ", ".join(missing)}
            yield said(Kind.LOST, Code.METADATA, "tags_dropped", values, stream=stream.index)
