"""Brings packets to one form, so that copies can be compared whatever container they are in.

Transport streams put a header on each AAC packet and start codes before the units of H.264 and HEVC; MP4 keeps the
header's content once, outside the packets, and writes the length of each unit instead.
"""

from __future__ import annotations

import re

_SYNC = 0xFFF
_UNITS = ("h264", "hevc")
_START = re.compile(b"\0\0\1")
_LENGTH_BYTES = 4
_SHORT, _WITH_CHECKSUM = 7, 9


def normalized(payload: bytes, codec: str) -> bytes:
    """Returns the content of a packet."""
    if codec in _UNITS:
        return b"".join(_units(payload))
    return _without_adts_header(payload) if codec == "aac" else payload


def _without_adts_header(payload: bytes) -> bytes:
    if len(payload) < _SHORT or (payload[0] << 4 | payload[1] >> 4) != _SYNC:
        return payload
    has_checksum = payload[1] & 1 == 0
    return payload[_WITH_CHECKSUM if has_checksum else _SHORT :]


def _units(payload: bytes) -> list[bytes]:
    """Splits an access unit at its start codes, or by the lengths before its units."""
    if payload.startswith((b"\0\0\1", b"\0\0\0\1")):
        return [unit.rstrip(b"\0") for unit in _START.split(payload)]
    units, at = [], 0
    while at + _LENGTH_BYTES < len(payload):
        length = int.from_bytes(payload[at : at + _LENGTH_BYTES])
        units.append(payload[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length].rstrip(b"\0"))
        at += _LENGTH_BYTES + length
    return units
