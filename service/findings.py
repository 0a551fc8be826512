"""What a result keeps of its video, what it has changed and what it lacks: one finding for each property.

Findings are known before a job begins (from the probe and the options), while its segments are restored, or at its end.
Plain data: importing this loads neither numpy nor FFmpeg.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from service.text import Value, plural, presentable, written

SHOWN = 100
"""Frames that a finding lists; ``count`` says how many there are."""
_NAMED = 3
"""Places that a sentence names."""


class Kind(StrEnum):
    """What became of a property."""

    KEPT = "kept"
    """The result has it, bit by bit or in the same value."""
    CHANGED = "changed"
    """The content is there in another form: sound in another codec, an odd size made even, a clock that begins at 0."""
    LOST = "lost"
    """The result lacks it. A strict job is refused, or fails where it is known only later."""


class Code(StrEnum):
    """The property that a finding is about. Clients may rely on the values."""

    FRAMES = "frames"
    """How many there are."""
    TIMES = "times"
    """When each frame appears."""
    START = "start"
    """The clock of a source that does not begin at zero."""
    CLOCK = "clock"
    """Jumps, wraps and steps back of a source's clock."""
    DUPLICATES = "duplicates"
    """Frames with another frame's time."""
    DAMAGE = "damage"
    """Frames that do not decode, or decode with errors, and files that end too early."""
    INTERLACING = "interlacing"
    SIZE = "size"
    """Odd sizes, and sizes that change."""
    PIXEL_ASPECT = "pixel_aspect"
    ROTATION = "rotation"
    CROP = "crop"
    """A clean aperture: the part of the picture that is meant to be seen."""
    COLOR = "color"
    """Primaries, transfer, matrix and range; RGB."""
    BIT_DEPTH = "bit_depth"
    CHROMA = "chroma"
    """Chroma resolution: 4:2:0, 4:2:2 or 4:4:4."""
    ALPHA = "alpha"
    """Transparency."""
    HDR = "hdr"
    """Mastering display, light levels, HDR10+ and Dolby Vision."""
    SPHERICAL = "spherical"
    """How a 360-degree video is projected."""
    STEREO = "stereo"
    """How two eyes' pictures are packed into one."""
    CAPTIONS = "captions"
    """CEA-608 and CEA-708 captions within the pictures."""
    SOUND = "sound"
    SUBTITLES = "subtitles"
    VIDEO_STREAMS = "video_streams"
    """Video streams beside the one that is restored."""
    COVER = "cover"
    DATA = "data"
    """Data streams, such as a camera's telemetry."""
    TIMECODE = "timecode"
    ATTACHMENTS = "attachments"
    """Files in the file, such as fonts."""
    CHAPTERS = "chapters"
    METADATA = "metadata"
    """Title, place, date, camera and the like."""
    PROGRAMS = "programs"
    """Several programs in one transport stream."""


@dataclass(frozen=True)
class Finding:
    """What became of one property, or of one stream."""

    kind: Kind
    code: Code
    text: str
    """A sentence for people, with a full stop. It does not say where: ``sentence`` does."""
    stream: int | None = None
    """Index of the source's stream that it is about; None is the video or the file as a whole."""
    count: int = 0
    """Frames, or places, that it is about; 0 is all or none in particular."""
    frames: tuple[int, ...] = ()
    """Numbers of the first of them, at most SHOWN."""
    times_s: tuple[float, ...] = ()
    """Seconds of the result's clock at which they are."""
    phrase: str = ""
    """The name of the text in ``service.text``; '' for a text that is not there."""
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)
    """What the text was made with."""


def said(
    kind: Kind,
    code: Code,
    phrase: str,
    values: Mapping[str, Value] | None = None,
    *,
    stream: int | None = None,
    places: int = 0,
) -> Finding:
    """Returns a finding with the text of a phrase. ``places``: how many frames or places it is about.

    Values may come out of a stranger's file: they are made presentable.
    """
    made_with = {
        name: presentable(value) if isinstance(value, str) else value
        for name, value in (values or {}).items()
    }
    text = written(phrase, made_with)
    return Finding(kind, code, text, stream, count=places, phrase=phrase, values=made_with)


def located(finding: Finding, places: Iterable[tuple[int, float]]) -> Finding:
    """Returns the finding about single frames, given as number and seconds."""
    listed = list(places)
    frames, times = tuple(one for one, _ in listed[:SHOWN]), tuple(round(one, 6) for _, one in listed[:SHOWN])
    return replace(finding, count=len(listed), frames=frames, times_s=times)


def at_frames(kind: Kind, code: Code, text: str, places: Iterable[tuple[int, float]]) -> Finding:
    """Returns a finding about single frames, given as number and seconds, in words of its own."""
    return located(Finding(kind, code, text), places)


def sentence(finding: Finding) -> str:
    """Returns the text with the places where it applies: ``... is held: 3 times, at 0.12 s, 0.16 s and 2 s.``"""
    if not finding.times_s:
        return finding.text
    places = [f"{one:.10g} s" for one in finding.times_s[:_NAMED]]
    end = " ..." if finding.count > len(places) else "."
    return f"{finding.text.rstrip('.')}: {plural(finding.count, 'time')}, at {', '.join(places)}{end}"


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns the findings in order, those that say the same of other frames as one, and each once."""
    groups: dict[tuple[object, ...], Finding] = {}
    for one in findings:
        key = (one.kind, one.code, one.text, one.stream)
        groups[key] = _both(groups[key], one) if key in groups else one
    return tuple(groups.values())


def lost(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Returns a sentence for each thing that the result lacks."""
    return tuple(sentence(one) for one in findings if one.kind is Kind.LOST)


def _both(one: Finding, other: Finding) -> Finding:
    if one == other and not one.count:
        return one
    frames, times = (*one.frames, *other.frames)[:SHOWN], (*one.times_s, *other.times_s)[:SHOWN]
    return replace(one, count=one.count + other.count, frames=frames, times_s=times)
