"""Reads the captions that a broadcast carries within its frames. Loads no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


def captions_of(frame: VideoFrame) -> bytes:
    """Returns the triplets of ATSC A/53 of a decoded frame; none where it has no captions."""
    try:
        data: Mapping[Any, Any] = frame.side_data  # the stub knows the names of types only
        captions = data.get(Type.A53_CC)
    except ValueError:
        return b""  # PyAV knows no name for data of another type, such as EXIF, and then tells of none
    return b"" if captions is None else bytes(captions)
