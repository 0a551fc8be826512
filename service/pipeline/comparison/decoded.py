"""Compares what only the decoders of two files tell: damage, fields and captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from service.findings import Code, Finding, Kind, at_frames, located, said
from service.text import plural
from service.video.frames import all_frames
from service.video.headers.captions import captions_of
from service.video.source import Source

_OF_THE_RESULT = "A frame of the result does not decode, or with errors."


@dataclass(frozen=True)
class Decoded:
    """What the frames of a file tell, by their numbers."""

    held: tuple[int, ...]
    """Frames that do not decode."""
    concealed: tuple[int, ...]
    """Frames that decode with errors."""
    interlaced: int
    """How many frames are interlaced."""
    captions: Mapping[int, bytes]
    """CEA-608 and CEA-708 captions, in the triplets of ATSC A/53."""


def decode_all(source: Source, on_frame: Callable[[], None]) -> Decoded:
    """Decodes all frames of a file; ``on_frame`` is called after each. Raises PipelineError."""
    held, concealed, captions = list[int](), list[int](), dict[int, bytes]()
    interlaced = 0
    with closing(all_frames(source)) as frames:
        for frame in frames:
            if frame.held:
                held.append(frame.number)
            elif frame.corrupt:
                concealed.append(frame.number)
            interlaced += bool(frame.picture.interlaced_frame)
            if not frame.held and (found := captions_of(frame.picture)):
                captions[frame.number] = found
            on_frame()
    return Decoded(tuple(held), tuple(concealed), interlaced, captions)


def decoded_findings(given: Source, one: Decoded, result: Source, two: Decoded) -> Iterator[Finding]:
    """Yields what became of damage, fields and captions. A copy has the same damage, still."""
    yield from _damage(given, one, result, two)
    if one.interlaced and not two.interlaced:
        text = "Interlaced frames became progressive."
        yield Finding(Kind.CHANGED, Code.INTERLACING, text, count=one.interlaced)
    if one.captions:
        yield _captions(one, two)


def _damage(given: Source, one: Decoded, result: Source, two: Decoded) -> Iterator[Finding]:
    known = {number for number, pts in enumerate(given.index.pts) if pts in given.index.broken}
    flaws = (("frame_held", one.held, two.held), ("frame_concealed", one.concealed, two.concealed))
    for phrase, here, there in flaws:
        places = [(number, given.index.seconds(number)) for number in here if number not in known]
        if places and here != there:
            yield located(said(Kind.LOST, Code.DAMAGE, phrase), places)
    new = sorted({*two.held, *two.concealed} - {*one.held, *one.concealed})
    if new:
        places = [(number, result.index.seconds(number)) for number in new]
        yield at_frames(Kind.LOST, Code.DAMAGE, _OF_THE_RESULT, places)


def _captions(one: Decoded, two: Decoded) -> Finding:
    """Frames may be others where a result is a part: then what counts is what the captions say, in order."""
    frames = f"Captions within the pictures (CEA-608/708), in {plural(len(one.captions), 'frame')}"
    if list(one.captions.values()) == list(two.captions.values()):
        return Finding(Kind.KEPT, Code.CAPTIONS, f"{frames}: the same.")
    return Finding(Kind.LOST, Code.CAPTIONS, f"{frames}: missing or changed.")
