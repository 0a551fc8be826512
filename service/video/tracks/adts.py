"""Removes the headers of AAC packets in transport streams; MP4 keeps their content once, outside the packets."""

from __future__ import annotations

_SYNC = 0xFFF
_SHORT, _WITH_CHECKSUM = 7, 9


def without_adts_header(payload: bytes, codec: str) -> bytes:
    """Returns the payload as MP4 stores it, so that copies can be compared."""
    if codec != "aac" or len(payload) < _SHORT or (payload[0] << 4 | payload[1] >> 4) != _SYNC:
        return payload
    has_checksum = payload[1] & 1 == 0
    return payload[_WITH_CHECKSUM if has_checksum else _SHORT :]
