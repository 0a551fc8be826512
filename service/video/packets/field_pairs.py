"""Finds the packets of H.264 that hold the second field of a frame: two packets are one frame then (PAFF).

Broadcasts and camcorders code some frames as two fields. FFmpeg gives each field as a packet, and a decoder one frame
for both, under the first one's time.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.video.packets.bits import Bits, EndOfDataError

_SLICE, _IDR_SLICE, _SPS = 1, 5, 7
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_LOOKED_AT = 4096
"""Bytes of a packet in which parameter sets and the first slice begin."""
_NUMBERS_WITH_4_BITS = 4


@dataclass(frozen=True)
class _Sequence:
    """What a slice's head cannot be read without."""

    frame_number_bits: int
    separate_planes: bool
    fields: bool
    """Whether frames may be coded as fields."""


@dataclass(frozen=True)
class _Field:
    frame: int
    bottom: bool


class FieldPairs:
    """Sees the packets of an H.264 stream in the order of the file."""

    def __init__(self, extradata: bytes | None) -> None:
        self._width = 0
        self._sequence: _Sequence | None = None
        self._open: _Field | None = None
        data = extradata or b""
        if (
            data[:1] == b"\1" and len(data) > 8
        ):  # ISO/IEC 14496-15: the first parameter set follows its length
            self._width = 1 + (data[4] & 3)
            self._read_unit(data[8 : 8 + int.from_bytes(data[6:8], "big")])
        else:
            self.is_second(data)

    def is_second(self, packet: bytes) -> bool:
        """Returns whether a packet holds the second field of the frame whose first field the one before it holds."""
        field: _Field | None = None
        for unit in self._units(packet[:_LOOKED_AT]):
            kind = unit[0] & 0x1F
            if kind in (_SLICE, _IDR_SLICE):
                field = self._field_of(unit)
                break
            self._read_unit(unit)
        first, self._open = self._open, field
        second = bool(first and field and first.frame == field.frame and first.bottom != field.bottom)
        if second:
            self._open = None
        return second

    def _units(self, data: bytes) -> list[bytes]:
        if not self._width:
            return [unit for unit in data.split(b"\0\0\1")[1:] if unit]
        found, at = [], 0
        while at + self._width < len(data):
            length = int.from_bytes(data[at : at + self._width], "big")
            found.append(data[at + self._width : at + self._width + length])
            at += self._width + length
        return [unit for unit in found if unit]

    def _read_unit(self, unit: bytes) -> None:
        if unit and unit[0] & 0x1F == _SPS:
            try:
                self._sequence = _sequence(Bits(unit[1:]))
            except EndOfDataError:
                self._sequence = None

    def _field_of(self, unit: bytes) -> _Field | None:
        """Reads the head of a slice (ITU-T H.264, 7.3.3); None for one of a whole frame."""
        if self._sequence is None or not self._sequence.fields:
            return None
        bits = Bits(unit[1:64])
        try:
            for _ in range(3):
                bits.unsigned()  # the first macroblock, the kind of slice, its picture parameter set
            bits.skip(2 if self._sequence.separate_planes else 0)
            frame = bits.number(self._sequence.frame_number_bits)
            return _Field(frame, bool(bits.number(1))) if bits.number(1) else None
        except EndOfDataError:
            return None


def _sequence(bits: Bits) -> _Sequence:
    """Reads a sequence parameter set (ITU-T H.264, 7.3.2.1.1) as far as it is needed."""
    profile = bits.number(8)
    bits.skip(16)
    bits.unsigned()
    separate = _read_chroma(bits) if profile in _HIGH_PROFILES else False
    frame_number_bits = bits.unsigned() + _NUMBERS_WITH_4_BITS
    _skip_order(bits)
    bits.unsigned()  # reference frames
    bits.skip(1)
    bits.unsigned()  # width
    bits.unsigned()  # height
    return _Sequence(frame_number_bits, separate, fields=not bits.number(1))


def _read_chroma(bits: Bits) -> bool:
    """Reads what only high profiles have; returns whether colors are coded as three pictures."""
    chroma = bits.unsigned()
    separate = chroma == 3 and bool(bits.number(1))
    bits.unsigned()  # bits of brightness
    bits.unsigned()  # bits of color
    bits.skip(1)
    if bits.number(1):
        for matrix in range(12 if chroma == 3 else 8):
            if bits.number(1):
                _skip_matrix(bits, 16 if matrix < 6 else 64)
    return separate


def _skip_matrix(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: Bits) -> None:
    """Skips how the order of pictures is coded."""
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.skip(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()
