"""What is said of transport streams that hold several programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.findings import Code, Finding, Kind
from service.types import EncodeOptions
from service.video.findings.tracks import track_findings
from service.video.headers.programs import Program, programs_of
from tests.support.clips import Clip, write_clip
from tests.support.transport_streams import PACKET, with_programs

CLIP = Clip(width=64, height=64, frames=6, audio="aac")
TWO = (Program(3, (0x100, 0x101)), Program(7, (0x110, 0x111)))


def told(path: Path) -> list[Finding]:
    return [one for one in track_findings(path, EncodeOptions()) if one.code is Code.PROGRAMS]


def test_programs_are_said_with_their_streams(tmp_path: Path) -> None:
    path = with_programs(tmp_path / "two.ts", CLIP, (3, 7))
    (one,) = told(path)

    assert programs_of(path) == TWO
    assert (one.kind, one.count) == (Kind.LOST, 2)
    assert "streams of each: 3: 0, 1; 7: 2, 3" in one.text


@pytest.mark.parametrize("name", ["one.ts", "clip.mp4", "clip.mkv"])
def test_nothing_is_said_of_one_program(tmp_path: Path, name: str) -> None:
    assert not told(write_clip(tmp_path / name, CLIP))


def test_programs_without_packets_do_not_count(tmp_path: Path) -> None:
    """As in a recording of one program of a broadcast. Its table of them is longer than a packet."""
    path = with_programs(tmp_path / "one.ts", CLIP, (7,), empty=100)

    assert programs_of(path) == (Program(7, (0x100, 0x101)),)
    assert not told(path)
    assert programs_of(with_programs(tmp_path / "two.ts", CLIP, (3, 7), empty=100)) == TWO


@pytest.mark.parametrize("stride", [188, 192, 204])
def test_packets_are_found_in_each_spacing_and_amid_one(tmp_path: Path, stride: int) -> None:
    data = with_programs(tmp_path / "two.ts", CLIP, (3, 7)).read_bytes()
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    spaced = b"".join(bytes(stride - PACKET) + one for one in packets)
    path = tmp_path / "spaced.ts"
    path.write_bytes(data[-77:] + spaced)

    assert programs_of(path) == TWO


def test_a_table_that_is_damaged_or_cut_says_nothing(tmp_path: Path) -> None:
    path = with_programs(tmp_path / "two.ts", CLIP, (3, 7))
    data = bytearray(path.read_bytes())
    data[14] ^= 1
    path.write_bytes(data)
    assert programs_of(path) == ()

    path.write_bytes(data[:100])
    assert programs_of(path) == ()
