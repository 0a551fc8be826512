"""Reads the head of a reference processing unit, with which each frame of Dolby Vision says how it is to be shown.

Transport streams may have nothing else that says that they are Dolby Vision. Loads no numpy.
"""

from __future__ import annotations

from av.codec.context import CodecContext

from service.video.headers.said import DolbyVision
from service.video.packets.bits import Bits, EndOfDataError

_KIND = b"\x7c\x01"
"""The head of a unit of HEVC that holds one."""
_WIDTH_AT = 21
"""Where ISO/IEC 14496-15 says how wide the length before each unit is."""
_PREFIX, _RPU = 25, 2
_EXTENDED = 0x700
_PQ, _HLG = 16, 18
_BASES = {_PQ: 1, _HLG: 4}
_SDR = 2


def rpu_of(codec: CodecContext, packet: bytes) -> bytes:
    """Returns the unit that a packet of HEVC holds; nothing where there is none."""
    if codec.codec.canonical_name != "hevc":
        return b""
    extradata = codec.extradata or b""
    if extradata[:1] != b"\1":
        _, _, after = packet.partition(b"\0\0\1" + _KIND)
        return after.split(b"\0\0\1")[0]
    width, at = 1 + (extradata[_WIDTH_AT] & 3), 0
    while at + width < len(packet):
        begin = at + width
        at = begin + int.from_bytes(packet[at:begin], "big")
        if packet[begin : begin + 2] == _KIND:
            return packet[begin + 2 : at]
    return b""


def vision_of(rpu: bytes, transfer: int) -> DolbyVision | None:
    """Returns the configuration that a unit belongs to; None where it is none, or one of another kind.

    ``transfer``: FFmpeg's code of what the frames are without Dolby Vision.
    """
    bits = Bits(rpu)
    try:
        if (bits.number(8), bits.number(6)) != (_PREFIX, _RPU):
            return None
        kind, profile = bits.number(11), bits.number(4)
        bits.skip(4)  # the level
        if not bits.number(1):
            return None  # the unit goes by an earlier one
        bits.skip(1)
        if not bits.number(2):
            bits.unsigned()  # how finely coefficients are coded
        bits.skip(2)
        full_range = bool(bits.number(1))
        if profile == 0:
            return DolbyVision(5, 0) if full_range else None
        layers = profile == 1 and not kind & _EXTENDED and _has_residual(bits)
    except EndOfDataError:
        return None
    return DolbyVision(7 if layers else 8, _BASES.get(transfer, _SDR))


def _has_residual(bits: Bits) -> bool:
    """Returns whether the frames are two, of which one refines the other."""
    for _ in range(3):
        bits.unsigned()  # bits of the base, of what refines it and of both together
    bits.skip(4)
    return bool(bits.number(1) and not bits.number(1))
