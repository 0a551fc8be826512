"""Files that a fuzzer made, in which what is mostly there is missing."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av

from service.video.headers.boxes import picture_boxes
from service.video.packets.leaps import leaps_of
from service.video.packets.track import Track
from service.video.tracks.naming import codec_name
from tests.support.clips import Clip, write_clip


def test_a_stream_without_packets_has_no_leaps() -> None:
    assert not list(leaps_of(Track("audio", Fraction(1, 1000))))


def test_a_stream_in_an_unknown_codec_is_called_that(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip())
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with av.open(str(path)) as container:
        assert codec_name(container.streams[0]) == "unknown codec"


def test_an_index_without_anything_in_it_has_no_boxes() -> None:
    empty = (8).to_bytes(4, "big") + b"moov"
    broken = (16).to_bytes(4, "big") + b"moov" + (4).to_bytes(4, "big") + b"trak"
    for moov in (empty, broken, (9).to_bytes(4, "big") + b"moov\0"):
        assert picture_boxes(io.BytesIO((8).to_bytes(4, "big") + b"ftyp" + moov)) == {}
