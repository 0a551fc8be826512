"""Compares sound and other streams of a result with what was written into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from service.errors.pipeline import PipelineError
from service.findings import Code, Finding, Kind, said
from service.pipeline.report import CopyCheck
from service.text import Value
from service.video.tracks.copying import CopiedStream
from service.video.tracks.transcoding import CodedSound, read_sound

_CODES = {"audio": Code.SOUND, "subtitle": Code.SUBTITLES, "video": Code.VIDEO_STREAMS, "data": Code.DATA}
_NOUNS = {"audio": "sound", "subtitle": "subtitles", "video": "video", "data": "data"}
_PARTS = {
    "audio": "part.of_sound",
    "subtitle": "part.of_subtitles",
    "video": "part.of_video",
    "data": "part.of_data",
}


def compare_copies(given: Sequence[CopiedStream], found: Sequence[CopiedStream]) -> tuple[CopyCheck, ...]:
    """Returns a comparison for each stream that was copied. Raises PipelineError for one that is not in the result."""
    left = list(found)
    checks = []
    for one in given:
        if not one.packets:
            continue
        alike = [each for each in left if each.kind == one.kind]  # MP2 is read from MP4 as MP3
        same = [each for each in alike if each.sha256 == one.sha256]
        if not alike:
            raise PipelineError(f"The result lacks the {_NOUNS[one.kind]} ({one.codec}) that was copied.")
        match = (same or alike)[0]
        left.remove(match)
        checks.append(CopyCheck(one.kind, one.codec, one.packets, one.sha256, match.sha256))
    return tuple(checks)


def copy_findings(checks: Sequence[CopyCheck]) -> Iterator[Finding]:
    """Yields a finding for each copy whose packets are not those of the source."""
    for check in checks:
        if not check.identical:
            code, what = _CODES.get(check.kind, Code.DATA), _PARTS[check.kind]
            yield said(Kind.LOST, code, "packets_differ", {"what": what, "codec": check.codec})


def sound_findings(coded: Sequence[CodedSound], result: Path) -> Iterator[Finding]:
    """Yields a finding for each stream of sound that was coded anew and has a flaw.

    Sound that is stored without loss is decoded and compared sample by sample.
    """
    for one in coded:
        if one.damaged:
            values = {"count": one.damaged, "number": one.stream}
            yield said(Kind.LOST, Code.DAMAGE, "sound_silent", values, stream=one.stream, places=one.damaged)
        if one.sha256 and (one.samples, one.sha256) not in read_sound(result, one.codec):
            named: dict[str, Value] = {"number": one.stream, "codec": one.codec}
            yield said(Kind.LOST, Code.SOUND, "samples_differ", named, stream=one.stream)
