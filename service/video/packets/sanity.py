"""Tells by the first bytes of a packet that it is damaged; what looks right may be damaged all the same."""

from __future__ import annotations

from collections.abc import Callable

from av.codec.context import CodecContext

_START_OF_SCAN = 0xDA
_ADTS_HEAD, _ADTS_RATES = 7, 13
_LOOKED_AT = 64
"""Bytes in which a beginning is looked for."""


def sanity_check(codec: CodecContext) -> Callable[[bytes], bool]:
    """Returns what tells whether a packet of the codec can be one."""
    name, extradata = codec.codec.canonical_name, codec.extradata or b""
    if name == "aac":
        return (lambda _data: True) if extradata else _adts
    if name in ("h264", "hevc") and extradata[:1] == b"\1":
        return _nal_lengths(1 + (extradata[4 if name == "h264" else 21] & 3))
    return _CHECKS.get(name, lambda _data: True)


def _nal_lengths(width: int) -> Callable[[bytes], bool]:
    """Returns a check of units that each follow their length (ISO/IEC 14496-15)."""

    def check(data: bytes) -> bool:
        at = 0
        while at + width < len(data):
            length = int.from_bytes(data[at : at + width], "big")
            if not length or data[at + width] & 0x80:  # the bit that is never set
                return False
            at += width + length
        return at == len(data)

    return check


def _adts(data: bytes) -> bool:
    """Looks at the head that each packet has in a transport stream (ISO/IEC 13818-7, 6.2)."""
    begins = len(data) >= _ADTS_HEAD and data[0] == 0xFF and data[1] & 0xF6 == 0xF0
    return begins and data[2] >> 2 & 15 < _ADTS_RATES


def _start_code(data: bytes) -> bool:
    return b"\0\0\1" in data[:_LOOKED_AT]


def _jpeg(data: bytes) -> bool:
    """Walks through the segments before the picture's data."""
    at = data.find(b"\xff\xd8", 0, _LOOKED_AT) + 2
    while 2 <= at < len(data) - 3 and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            return True
        at += 1 if marker == 0xFF else 2 + max(length, 2)  # a marker may be filled up in front
    return False


def _vp9(data: bytes) -> bool:
    return data[0] >> 6 == 2  # the frame marker


def _prores(data: bytes) -> bool:
    return data[4:8] == b"icpf"


def _png(data: bytes) -> bool:
    return data[:4] == b"\x89PNG"


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "h264": _start_code,
    "hevc": _start_code,
    "mpeg1video": _start_code,
    "mpeg2video": _start_code,
    "mjpeg": _jpeg,
    "png": _png,
    "prores": _prores,
    "vp9": _vp9,
}
