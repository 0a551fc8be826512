"""MPEG transport streams with several programs, which PyAV does not write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.broken_clips import remux
from tests.support.clips import Clip, write_clip

PACKET = 188
_POLYNOMIAL = 0x04C11DB7
_FIRST_MAP, _FIRST_STREAM = 0x1000, 0x100


def with_programs(path: Path, clip: Clip, numbers: Sequence[int], empty: int = 0) -> Path:
    """Write a stream in which each of ``numbers`` is a program with that clip; ``empty`` more have no packets."""
    whole = write_clip(path.parent / "whole.ts", clip)
    parts = []
    for place, number in enumerate(numbers):
        options = {
            "mpegts_service_id": str(number),
            "mpegts_pmt_start_pid": str(_FIRST_MAP + place),
            "mpegts_start_pid": str(_FIRST_STREAM + 16 * place),
        }
        parts.append(remux(whole, path.parent / f"program{number}.ts", _unmoved, **options))
    entries = [(number, _FIRST_MAP + place) for place, number in enumerate(numbers)]
    entries += [(1000 + place, 0x1800 + place) for place in range(empty)]
    data = b"".join(part.read_bytes() for part in parts)
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    path.write_bytes(_associations(entries) + b"".join(one for one in packets if one[1:3] != b"\x40\x00"))
    return path


def _unmoved(packet: Any) -> None:
    pass


def _associations(entries: Sequence[tuple[int, int]]) -> bytes:
    """The packets of a program association table."""
    body = b"\x00\x01\xc1\x00\x00"
    body += b"".join(number.to_bytes(2) + (0xE000 | pid).to_bytes(2) for number, pid in entries)
    section = b"\x00" + (0xB000 | len(body) + 4).to_bytes(2) + body
    payload = b"\x00" + section + _checksum(section).to_bytes(4)
    size = PACKET - 4
    return b"".join(
        (b"\x47\x40\x00" if at == 0 else b"\x47\x00\x00")
        + bytes([0x10 | at // size & 15])
        + payload[at : at + size].ljust(size, b"\xff")
        for at in range(0, len(payload), size)
    )


def _checksum(data: bytes) -> int:
    value = int.from_bytes(data) << 32 ^ 0xFFFFFFFF << 8 * len(data)
    for bit in range(8 * len(data) + 31, 31, -1):
        if value >> bit & 1:
            value ^= (1 << 32 | _POLYNOMIAL) << bit - 32
    return value


def with_descriptor(path: Path, kind: int, body: bytes) -> Path:
    """Adds a descriptor to the first stream of the program map, wherever it is sent."""
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), PACKET):
        if int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF != _FIRST_MAP:
            continue
        start = at + 5  # behind the header and the pointer
        length = int.from_bytes(data[start + 1 : start + 3]) & 0xFFF
        section = bytearray(data[start : start + 3 + length - 4])
        stream = 12 + (int.from_bytes(section[10:12]) & 0xFFF)
        described = int.from_bytes(section[stream + 3 : stream + 5]) & 0xFFF
        added = bytes([kind, len(body)]) + body
        section[stream + 5 : stream + 5] = added
        section[stream + 3 : stream + 5] = (0xF000 | described + len(added)).to_bytes(2)
        section[1:3] = (0xB000 | length + len(added)).to_bytes(2)
        whole = bytes(section) + _checksum(bytes(section)).to_bytes(4)
        data[start : at + PACKET] = whole.ljust(at + PACKET - start, b"\xff")
    path.write_bytes(data)
    return path
