"""The containers that results and their pieces are written in, with the options that keep times and bytes exact."""

from __future__ import annotations

from fractions import Fraction

from service.video.timing import timescale_options

MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm"}
"""FFmpeg's names of the containers."""

_MATROSKA = {
    "fflags": "+bitexact",  # without it, every file has other random numbers
    "cues_to_front": "1",
}
_FROM_BEFORE_ZERO = {"avoid_negative_ts": "disabled"}
"""The lead-in of AAC lies before the first frame: the muxer would move all streams until it begins at zero."""
_PIECES = {"prores": "mov", "ffv1": "mkv"}


def piece_container(codec: str, has_alpha: bool) -> str:
    """Returns the container of pieces: one with exact times where it holds the codec, and VP9's transparency."""
    return "mkv" if codec == "vp9" and has_alpha else _PIECES.get(codec, "mp4")


def piece_options(container: str, time_base: Fraction) -> dict[str, str]:
    """Returns the muxer's options of a piece."""
    return timescale_options(time_base) if container in ("mp4", "mov") else _MATROSKA


def result_options(container: str, time_base: Fraction) -> dict[str, str]:
    """Returns the muxer's options of a result, whose index then comes in front.

    Matroska counts in milliseconds: times are then rounded to the nearest, each by itself. Sound that begins before
    zero stays there in MKV; that of WebM states its lead-in instead.
    """
    if container in ("mp4", "mov"):
        return {"movflags": "+faststart", **timescale_options(time_base)}
    return {**_MATROSKA, **_FROM_BEFORE_ZERO} if container == "mkv" else _MATROSKA
