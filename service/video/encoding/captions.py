"""Puts CEA-608 and CEA-708 captions into the packets of H.264 and HEVC, where broadcasts carry them.

The bytes stand in a message of supplemental information (SEI) before the frame: user data registered by ITU-T T.35, in
the form of ATSC A/53 part 4. FFmpeg's decoders give them per frame; PyAV gives its encoders none, so they are added to
what an encoder made.
"""

from __future__ import annotations

from typing import Any

import av
from av.packet import Packet

CODECS = ("h264", "hevc")
"""The codecs whose packets can carry them here."""

_START = b"\0\0\0\1"
_UNIT_HEADERS = {"h264": b"\x06", "hevc": b"\x4e\x01"}
"""Of a unit of supplemental information; in HEVC the kind that comes before a picture."""
_USER_DATA_T35 = 4
_ATSC = b"\xb5\x00\x31GA94\x03"
"""United States, ATSC, its identifier, and 3 for captions."""
_TRIPLET = 3
_MOST_TRIPLETS = 31
_PROCESS = 0x40
_END = b"\xff"
_STOP_BIT = b"\x80"
_SIZE_STEP = 255


def with_captions(packet: Packet[Any], captions: bytes, codec: str) -> Packet[Any]:
    """Returns a packet of Annex B units with ``captions``, the triplets that a decoder gave, before its picture."""
    made = av.Packet(_unit(captions, codec) + bytes(packet))
    made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
    made.duration, made.is_keyframe, made.stream = packet.duration, packet.is_keyframe, packet.stream
    return made


def _unit(captions: bytes, codec: str) -> bytes:
    triplets = captions[: _MOST_TRIPLETS * _TRIPLET]
    payload = _ATSC + bytes([_PROCESS | len(triplets) // _TRIPLET, 0]) + triplets + _END
    size = b"\xff" * (len(payload) // _SIZE_STEP) + bytes([len(payload) % _SIZE_STEP])
    content = _UNIT_HEADERS[codec] + bytes([_USER_DATA_T35]) + size + payload + _STOP_BIT
    return _START + _escaped(content)


def _escaped(content: bytes) -> bytes:
    """Puts a 3 between two zeros and a byte up to 3, so that nothing looks like the beginning of a unit."""
    out = bytearray()
    zeros = 0
    for byte in content:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)
