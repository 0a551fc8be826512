"""Tiny broadcasts with CEA-608 captions within their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

from service.video.encoding.captions import with_captions

CC = [b"" if n == 2 else bytes([0xFC, 0, 0]) + bytes([0xFC, 0x80 + n, n]) for n in range(12)]
"""Of each frame: two triplets, with zeros that have to be escaped; the third frame has none."""
_USER_DATA = b"\0\0\1\xb2GA94\x03"
_FIRST_SLICE = b"\0\0\1\x01"


def captions(path: Path) -> list[bytes]:
    """The captions of every frame, read without any of the service's code."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            data = [bytes(one) for one in frame.side_data if one.type.name == "A53_CC"]  # type: ignore[attr-defined]
            found.append(data[0] if data else b"")
        return found


def write_captioned(
    path: Path, codec: str = "libx264", said: Sequence[bytes] = tuple(CC), **options: str
) -> Path:
    """A black video of as many frames as captions are ``said``."""
    with av.open(str(path), "w") as output:
        options = {"bf": "0", "x265-params": "log-level=error:bframes=0", **options}
        video = output.add_stream(codec, rate=25, width=96, height=64, options=options)
        packets = [
            packet for number in range(len(said)) for packet in video.encode(_frame(number))
        ] + video.encode(None)
        for packet, one in zip(packets, said, strict=True):
            output.mux(_with(packet, one, codec) if one else packet)
    return path


def _frame(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(96, 64, "yuv420p")
    frame.pts = number
    return frame


def _with(packet: Any, said: bytes, codec: str) -> Any:
    if codec != "mpeg2video":
        return with_captions(packet, said, {"libx264": "h264", "libx265": "hevc"}[codec])
    data = bytes(packet)
    at = data.index(_FIRST_SLICE)
    unit = _USER_DATA + bytes([0x40 | len(said) // 3, 0xFF]) + said + b"\xff"
    made = av.Packet(data[:at] + unit + data[at:])
    made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
    made.is_keyframe, made.stream = packet.is_keyframe, packet.stream
    return made
