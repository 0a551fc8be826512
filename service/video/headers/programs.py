"""Reads which programs an MPEG transport stream holds (ISO/IEC 13818-1), which PyAV does not tell.

Only the beginning is read, where the tables are that a player needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.video.container import head_of
from service.video.ranged import RangedFile

_HEAD = 4 << 20
_SYNC, _PACKET = 0x47, 188
_STRIDES = (_PACKET, 192, 204)
"""Bytes from packet to packet: alone, with the times of a Blu-ray disc, with an error correction."""
_SURE = 5
"""Packets in a row by which a stream is known."""
_SEARCHED = 64 << 10
"""Bytes in which its first packet begins; a recording may begin amid one."""
_ASSOCIATIONS, _MAP = 0, 2
"""Kinds of tables, and of the first also the PID."""


@dataclass(frozen=True)
class Program:
    """A program of a transport stream."""

    number: int
    pids: tuple[int, ...]
    """The PIDs of its streams, ascending: ``id`` of PyAV's streams."""


def programs_of(media: Path | RangedFile) -> tuple[Program, ...]:
    """Returns the programs that have packets in the beginning of a file; none where it is no transport stream.

    Programs with the very same streams are one: the first of them. Raises OSError.
    """
    packets = _packets(head_of(media, _HEAD))
    places = {
        number: pid
        for section in _tables(packets.get(_ASSOCIATIONS, []), _ASSOCIATIONS)
        for number, pid in _associations(section)
    }
    found: dict[tuple[int, ...], Program] = {}
    for number, pid in sorted(places.items()):
        for section in _tables(packets.get(pid, []), _MAP):
            pids = tuple(sorted(one for one, _ in _streams(section) if one in packets))
            if pids and int.from_bytes(section[3:5], "big") == number:
                found.setdefault(pids, Program(number, pids))
    by_number = {
        one.number: one for one in reversed(found.values())
    }  # a later version of a map is no program
    return tuple(by_number[number] for number in sorted(by_number))


def descriptors_of(media: Path | RangedFile, kind: int) -> dict[int, bytes]:
    """Returns what descriptors of a kind say of streams, by PID, in a transport stream's beginning. Raises OSError."""
    packets = _packets(head_of(media, _HEAD))
    return {
        pid: body
        for table in _tables(packets.get(_ASSOCIATIONS, []), _ASSOCIATIONS)
        for _, place in _associations(table)
        for section in _tables(packets.get(place, []), _MAP)
        for pid, described in _streams(section)
        for tag, body in _descriptors(described)
        if tag == kind
    }


def _packets(data: bytes) -> dict[int, list[bytes]]:
    """Returns the packets by their PID, in order, without those that are marked as damaged."""
    found: dict[int, list[bytes]] = {}
    start, stride = _grid(data) or (len(data), _PACKET)
    for at in range(start, len(data) - _PACKET + 1, stride):
        packet = data[at : at + _PACKET]
        if packet[0] == _SYNC and not packet[1] & 0x80:
            found.setdefault(int.from_bytes(packet[1:3], "big") & 0x1FFF, []).append(packet)
    return found


def _grid(data: bytes) -> tuple[int, int] | None:
    """Returns where the first packet begins, and the bytes from one to the next."""
    for start in range(min(len(data), _SEARCHED)):
        for stride in _STRIDES if data[start] == _SYNC else ():
            if data[start : start + stride * _SURE : stride] == bytes([_SYNC]) * _SURE:
                return start, stride
    return None


def _tables(packets: list[bytes], kind: int) -> Iterator[bytes]:
    """Yields each section of a kind of table that is valid now and whole, once, without its checksum."""
    for section in dict.fromkeys(_sections(packets)):
        if section[0] == kind and len(section) >= 12 and section[5] & 1 and _checksum(section) == 0:
            yield section[:-4]


def _sections(packets: list[bytes]) -> Iterator[bytes]:
    """Yields what the packets of one PID hold; a section may go over many, and a packet may hold many."""
    held, last = b"", -1
    for packet in packets:
        payload, counter = _payload(packet), packet[3] & 15
        if not payload or counter == last:
            continue  # a packet may be sent twice
        if last >= 0 and counter != (last + 1) & 15:
            held = b""
        last = counter
        if packet[1] & 0x40:
            start = 1 + payload[0]
            yield from _whole(held + payload[1:start] if held else b"")[0]
            held = payload[start:]
        elif held:
            held += payload
        whole, held = _whole(held)
        yield from whole


def _whole(data: bytes) -> tuple[list[bytes], bytes]:
    """Returns the sections that are complete, and the rest."""
    found: list[bytes] = []
    while len(data) >= 3 and data[0] != 0xFF:
        length = 3 + (int.from_bytes(data[1:3], "big") & 0xFFF)
        if len(data) < length:
            return found, data
        found.append(data[:length])
        data = data[length:]
    return found, data if data[:1] != b"\xff" else b""


def _payload(packet: bytes) -> bytes:
    has_fields, has_payload = packet[3] & 0x20, packet[3] & 0x10
    start = 5 + packet[4] if has_fields else 4
    return packet[start:] if has_payload else b""


def _associations(section: bytes) -> Iterator[tuple[int, int]]:
    """Yields the number of each program and the PID of its map; number 0 is the network."""
    for at in range(8, len(section) - 3, 4):
        number = int.from_bytes(section[at : at + 2], "big")
        if number:
            yield number, int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF


def _streams(section: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the PIDs of a program's streams, each with its descriptors."""
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= len(section):
        end = at + 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
        yield int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF, section[at + 5 : end]
        at = end


def _descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + data[at + 1]
        yield data[at], data[at + 2 : end]
        at = end


def _checksum(data: bytes) -> int:
    """Returns the CRC of ISO/IEC 13818-1; 0 for data that ends with its own."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
