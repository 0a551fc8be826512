"""Compares the pictures of two files by what is known of them without restoring anything."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import astuple
from fractions import Fraction

from service.encoding.pixels import loses_chroma
from service.findings import Code, Finding, Kind, at_frames
from service.text import plural
from service.types import ColorTags
from service.video.color import MATRIX_RGB
from service.video.findings.frames import frame_findings
from service.video.source import PictureFormat, Source

_TAGS = "Primaries, transfer, matrix and range"
_UNSPECIFIED = 2
_TOLERANCE_S = Fraction(1, 1000)
"""Matroska rounds times to milliseconds."""


def picture_findings(given: Source, result: Source) -> Iterator[Finding]:
    """Yields a finding for each property of the video stream of a file and of what was made of it."""
    yield from _frames(given, result)
    yield from _flaws(given, result)
    one, two = given.picture, result.picture
    yield _size(one, two)
    yield _equal(Code.ROTATION, "The rotation", f"{one.rotation} degrees", f"{two.rotation} degrees")
    yield _equal(Code.PIXEL_ASPECT, "The shape of pixels", _aspect(one), _aspect(two))
    yield _tags(one, two)
    yield _ordered(Code.BIT_DEPTH, one.bit_depth, two.bit_depth, "bits per sample")
    yield _chroma(one.chroma, two.chroma)
    if one.has_alpha:
        yield _equal(Code.ALPHA, "Transparency", "there", "there" if two.has_alpha else "gone")


def _frames(given: Source, result: Source) -> Iterator[Finding]:
    """Both clocks begin with their first frame, so that a file that begins at ten hours has the same times."""
    one, two = _times(given), _times(result)
    if len(one) == len(two):
        yield Finding(Kind.KEPT, Code.FRAMES, f"{plural(len(one), 'frame')}, as many as in the source.")
    else:
        kind = Kind.LOST if len(two) < len(one) else Kind.CHANGED
        yield Finding(kind, Code.FRAMES, f"{plural(len(one), 'frame')} became {len(two)}.")
    missing = [(number, float(time)) for number, time in enumerate(one) if not _has(two, time)]
    if missing:
        yield at_frames(Kind.LOST, Code.TIMES, "No frame is shown at the time of one of the source.", missing)
    else:
        yield Finding(Kind.KEPT, Code.TIMES, "Each frame of the source has one at its time.")


def _flaws(given: Source, result: Source) -> Iterator[Finding]:
    """Yields what cannot have stayed as it was after the first frame, such as damage; a copy has the same, still."""
    still = set(frame_findings(result.index))
    for one in frame_findings(given.index):
        if one.kind is not Kind.KEPT and one not in still:
            yield one


def _times(source: Source) -> list[Fraction]:
    first = source.index.pts[0]
    return [(pts - first) * source.index.time_base for pts in source.index.pts]


def _has(times: list[Fraction], time: Fraction) -> bool:
    at = bisect_left(times, time - _TOLERANCE_S)
    return at < len(times) and times[at] <= time + _TOLERANCE_S


def _size(one: PictureFormat, two: PictureFormat) -> Finding:
    given, made = f"{one.width}x{one.height}", f"{two.width}x{two.height}"
    even = (one.width + one.width % 2, one.height + one.height % 2)
    if given != made and (two.width, two.height) == even:
        return Finding(Kind.CHANGED, Code.SIZE, f"The odd size {given} became {made}.")
    return _equal(Code.SIZE, "The size", given, made)


def _tags(one: PictureFormat, two: PictureFormat) -> Finding:
    """A result may say more than its source did: a matrix of pictures that were RGB, or of ones that had none."""
    given, made = one.color, two.color
    pairs = zip(astuple(given)[:3], astuple(made)[:3], strict=True)
    said = all(before in (after, _UNSPECIFIED, MATRIX_RGB) for before, after in pairs)
    if given != made and said and given.full_range in (made.full_range, one.chroma == "rgb"):
        return Finding(Kind.CHANGED, Code.COLOR, f"{_TAGS}: {_color(given)} became {_color(made)}.")
    return _equal(Code.COLOR, _TAGS, _color(given), _color(made))


def _equal(code: Code, what: str, one: str, two: str) -> Finding:
    if one == two:
        return Finding(Kind.KEPT, code, f"{what}: {one}.")
    return Finding(Kind.LOST, code, f"{what}: {one} became {two}.")


def _ordered(code: Code, one: int, two: int, what: str) -> Finding:
    if one == two:
        return Finding(Kind.KEPT, code, f"{one} {what}.")
    return Finding(Kind.LOST if two < one else Kind.CHANGED, code, f"{one} {what} became {two}.")


def _chroma(one: str, two: str) -> Finding:
    """Chroma that is finer than it was, or RGB in another form, has lost nothing."""
    if one != two and not loses_chroma(one, two):
        return Finding(Kind.CHANGED, Code.CHROMA, f"Chroma: {one} became {two}.")
    return _equal(Code.CHROMA, "Chroma", one, two)


def _aspect(picture: PictureFormat) -> str:
    aspect = picture.pixel_aspect or Fraction(1)
    return f"{aspect.numerator}:{aspect.denominator}"


def _color(color: ColorTags) -> str:
    extent = "full" if color.full_range else "limited"
    return f"{color.primaries}/{color.transfer}/{color.matrix} {extent}"
