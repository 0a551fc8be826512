"""Bounds the frames that a process decodes, whatever file it opens."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PIXELS = 8192 * 8192
"""Most pixels of a frame that the pipeline allocates; the limit that users see is the probe's."""


@dataclass
class _Process:
    """What holds for all files that this process opens."""

    max_pixels: int = MAX_PIXELS


_process = _Process()


def limit_frames(max_pixels: int) -> None:
    """Bounds what this process decodes to find out about a file, from now on: of all its videos, not of one alone.

    For the composition root of a process. Where limits differ, two processes see another video in the same file.
    """
    _process.max_pixels = max_pixels


def frame_limit() -> int:
    """Returns the pixels of the largest frame that this process decodes to find out about a file."""
    return _process.max_pixels
