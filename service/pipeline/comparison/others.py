"""Compares what two files hold beside picture and sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from av.container import InputContainer
from av.stream import AttachmentStream, Discard, Disposition

from service.findings import Code, Finding, Kind
from service.text import plural
from service.video.container import open_video, packets_of, video_stream
from service.video.headers.boxes import CODES, source_boxes
from service.video.headers.programs import programs_of
from service.video.tracks.copying import PacketDigest
from service.video.tracks.describing import timecode_of
from service.video.tracks.naming import codec_name, title_of
from service.video.tracks.tags import content, global_tags
from service.video.tracks.text import plain_texts

_CODES = {"subtitle": Code.SUBTITLES, "video": Code.VIDEO_STREAMS, "data": Code.DATA}
_CHAPTER_TOLERANCE_S = 0.01


@dataclass(frozen=True)
class Other:
    """A stream as it is compared."""

    stream: int
    code: Code
    name: str
    digest: str
    texts: tuple[str, ...] = ()
    """The lines of text subtitles."""


@dataclass(frozen=True)
class Contents:
    """What a file holds beside picture and sound."""

    streams: tuple[Other, ...]
    tags: dict[str, str]
    chapters: tuple[tuple[float, str], ...]
    """Begin in seconds, and title."""
    timecode: str | None
    boxes: dict[bytes, bytes]
    programs: int
    """Of a transport stream; 0 in other files."""


def read_contents(path: Path) -> Contents:
    """Reads a file's other streams and all that is said about it. Raises what ``open_video`` raises."""
    with open_video(path) as container:
        tags = content(global_tags(container.metadata))
        chapters = tuple(
            (float(one["start"] * (one["time_base"] or 1)), one["metadata"].get("title", ""))
            for one in container.chapters()
        )
        timecode = timecode_of(container)
        streams = tuple(_streams(container))
        programs = len(programs_of(path)) if container.format.name == "mpegts" else 0
    texts = {one.stream: plain_texts(path, one.stream) for one in streams if one.code is Code.SUBTITLES}
    streams = tuple(
        Other(one.stream, one.code, one.name, one.digest, texts.get(one.stream, ())) for one in streams
    )
    return Contents(streams, tags, chapters, timecode, source_boxes(path), programs)


def content_findings(given: Contents, result: Contents) -> Iterator[Finding]:
    """Yields what became of each stream and of what is said about the file."""
    left = list(result.streams)
    for one in given.streams:
        yield _stream(one, left)
    yield from _tags(given.tags, result.tags)
    yield from _chapters(given.chapters, result.chapters)
    if given.timecode:
        kept = given.timecode == result.timecode
        yield _said(Code.TIMECODE, f"The timecode {given.timecode}", kept)
    if given.programs > 1:
        yield _said(Code.PROGRAMS, f"{given.programs} programs", given.programs == result.programs)
    for kind in given.boxes:
        yield _said(
            CODES[kind], f"The box {kind.decode('latin-1')}", given.boxes[kind] == result.boxes.get(kind)
        )


def _streams(container: InputContainer) -> Iterator[Other]:
    restored = video_stream(container).index
    others = [
        stream
        for stream in container.streams
        if stream.index != restored
        and stream.type != "audio"
        and stream.discard is not Discard.all
        and not stream.metadata.get("timecode")
    ]
    files = [stream for stream in others if isinstance(stream, AttachmentStream)]
    for file in files:
        yield Other(
            file.index, Code.ATTACHMENTS, title_of(file), f"{file.name} {sha256(file.data).hexdigest()}"
        )
    read = [stream for stream in others if not isinstance(stream, AttachmentStream)]
    digests = {stream.index: PacketDigest(stream) for stream in read}
    for packet in packets_of(container, *read) if read else ():
        if digests[packet.stream.index].wants(packet):
            digests[packet.stream.index].add(packet)
    for stream in read:
        cover = bool(stream.disposition & Disposition.attached_pic)
        code = Code.COVER if cover else _CODES.get(stream.type, Code.DATA)
        name = "The cover picture" if cover else title_of(stream)
        yield Other(
            stream.index, code, name, digests[stream.index].summary().sha256 + codec_name(stream) * cover
        )


def _stream(one: Other, left: list[Other]) -> Finding:
    alike = [each for each in left if each.code is one.code]
    same = next((each for each in alike if each.digest == one.digest), None)
    if same:
        left.remove(same)
        return Finding(Kind.KEPT, one.code, f"{one.name}: the same packets.", one.stream)
    told = next((each for each in alike if one.texts and each.texts == one.texts), None)
    if told:
        left.remove(told)
        text = f"{one.name}: all {plural(len(one.texts), 'text')} in another form."
        return Finding(Kind.CHANGED, one.code, text, one.stream)
    return Finding(Kind.LOST, one.code, f"{one.name}: missing, or not the same.", one.stream)


def _tags(given: dict[str, str], result: dict[str, str]) -> Iterator[Finding]:
    missing = sorted(key for key, value in given.items() if result.get(key) != value)
    if missing:
        yield Finding(
            Kind.LOST, Code.METADATA, f"Entries of metadata are missing or changed: {', '.join(missing)}."
        )
    elif given:
        yield Finding(Kind.KEPT, Code.METADATA, f"All {plural(len(given), 'entry', 'entries')} of metadata.")


def _chapters(given: Sequence[tuple[float, str]], result: Sequence[tuple[float, str]]) -> Iterator[Finding]:
    if not given:
        return
    kept = [title for _, title in given] == [title for _, title in result] and all(
        abs(one - two) < _CHAPTER_TOLERANCE_S for (one, _), (two, _) in zip(given, result, strict=True)
    )
    yield _said(Code.CHAPTERS, f"{plural(len(given), 'chapter')}", kept)


def _said(code: Code, what: str, kept: bool) -> Finding:
    return Finding(
        Kind.KEPT if kept else Kind.LOST, code, f"{what}: {'the same' if kept else 'missing or changed'}."
    )
