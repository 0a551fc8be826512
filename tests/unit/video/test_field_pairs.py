"""Frames of H.264 that are coded as two fields: no encoder here makes them, so the bits are written one by one."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from service.video.packets.field_pairs import FieldPairs
from service.video.source import load_source
from tests.support.clips import Clip, write_clip
from tests.support.interlaced_clips import Interlaced

MAIN, HIGH = 77, 100


class Writer:
    """Writes bits, and a unit of H.264 with what keeps its bytes from looking like the beginning of another."""

    def __init__(self) -> None:
        self.bits = ""

    def number(self, value: int, width: int) -> Writer:
        self.bits += f"{value:0{width}b}"
        return self

    def unsigned(self, *values: int) -> Writer:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def unit(self, kind: int) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        plain = bytes([kind]) + int(bits, 2).to_bytes(len(bits) // 8, "big")
        return b"\0\0\0\1" + plain.replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")


def parameters(profile: int, fields: bool = True) -> bytes:
    writer = Writer().number(profile, 8).number(0, 8).number(40, 8).unsigned(0)
    if profile == HIGH:
        writer.unsigned(1, 0, 0).number(0, 1)
        writer.number(1, 1)  # a flag for each of eight matrices follows; two of them are written
        writer.number(1, 1)
        for _ in range(16):
            writer.unsigned(1)
        writer.number(0, 6)
        writer.number(1, 1).unsigned(16)  # the first step takes it to zero: the rest is as before
    writer.unsigned(4, 0, 2).unsigned(4).number(0, 1).unsigned(119, 33)
    return writer.number(not fields, 1).unit(0x67)


def picture(frame: int, bottom: bool | None) -> bytes:
    writer = Writer().unsigned(0, 5, 0).number(frame, 8)
    writer.number(bottom is not None, 1)
    if bottom is not None:
        writer.number(bottom, 1)
    return writer.number(0, 400).unit(0x41)


@pytest.mark.parametrize("profile", [MAIN, HIGH])
def test_the_second_field_of_a_frame_is_known(profile: int) -> None:
    pairs = FieldPairs(None)
    packets = [
        parameters(profile) + picture(0, bottom=False),
        picture(0, bottom=True),
        picture(1, bottom=False),
        picture(1, bottom=True),
        picture(2, bottom=None),  # a frame that is coded as a whole
        picture(3, bottom=True),
        picture(3, bottom=False),
        picture(3, bottom=True),  # the first field of another one
        picture(3, bottom=False),
    ]

    assert [pairs.is_second(packet) for packet in packets] == [
        *(False, True, False, True, False, False, True, False, True)
    ]


def test_a_stream_of_whole_frames_has_no_pairs() -> None:
    pairs = FieldPairs(parameters(MAIN, fields=False))

    assert not any(pairs.is_second(picture(frame // 2, bottom=None)) for frame in range(8))


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\1", b"\0\0\1\x67", b"\0\0\1\x67\x64\0\x28", b"\0\0\1\x41", bytes(100)]
)
def test_data_that_ends_too_early_does_no_harm(data: bytes) -> None:
    pairs = FieldPairs(data)

    assert not pairs.is_second(data)
    assert not pairs.is_second(picture(0, bottom=False))


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
@pytest.mark.parametrize("clip", [Clip(frames=10), Interlaced(frames=10)])
def test_every_packet_of_an_encoder_that_codes_whole_frames_is_one(
    tmp_path: Path, suffix: str, clip: Clip
) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", clip)
    with av.open(str(path)) as container:
        packets = sum(1 for packet in container.demux(video=0) if packet.size)

    assert load_source(path).index.frames == packets == 10
