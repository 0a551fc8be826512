"""Reads the captions that a broadcast carries within its frames (ATSC A/53 part 4). Loads no numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

_REGISTERED = b"\xb5\x00\x31GA94\x03"
"""Begins the captions in a message of H.264 and HEVC: United States, ATSC, its identifier, and 3 for captions."""
_USER_DATA = b"\0\0\1\xb2GA94\x03"
"""The same in the user data of MPEG-2."""
_MARKS = {"h264": _REGISTERED, "hevc": _REGISTERED, "mpeg2video": _USER_DATA}
_PROCESS, _COUNT = 0x40, 0x1F


def caption_check(codec: str) -> Callable[[bytes], bool]:
    """Returns what tells whether a packet of a codec, by FFmpeg's name, carries captions."""
    mark = _MARKS.get(codec)
    if mark is None:
        return lambda _data: False

    def check(data: bytes) -> bool:
        at = data.find(mark)
        flags = data[at + len(mark)] if 0 <= at < len(data) - len(mark) else 0
        return bool(flags & _PROCESS and flags & _COUNT)

    return check


def captions_of(frame: VideoFrame) -> bytes:
    """Returns the triplets of ATSC A/53 of a decoded frame; none where it has no captions."""
    try:
        data: Mapping[Any, Any] = frame.side_data  # the stub knows the names of types only
        captions = data.get(Type.A53_CC)
    except ValueError:
        return b""  # PyAV knows no name for data of another type, such as EXIF, and then tells of none
    return b"" if captions is None else bytes(captions)
