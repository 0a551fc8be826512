"""HDR10, HLG and Dolby Vision: the result says in stream and container what the source says of its light."""

import asyncio
import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type

from service.errors.video import ColorRejected
from service.types import ColorTags
from service.video.headers.boxes import add_picture_boxes, picture_boxes
from service.video.sandbox.probe import probe
from service.video.source import load_source
from tests.support.broken_clips import remux
from tests.support.planes import Coding, Planes, write_planes
from tests.support.transport_streams import with_descriptor
from tests.support.whole_way import LIMITS, restored

PQ, HLG = ColorTags(9, 16, 9, full_range=False), ColorTags(9, 18, 9, full_range=False)
DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
X265 = "log-level=error:info=0"
SIZE = (128, 96)


def picture() -> Planes:
    luma = np.tile(np.arange(128, dtype=np.uint16) * 5 + 80, (96, 1))
    return [luma, *[np.full((48, 64), 500, np.uint16)] * 2]


def clip(path: Path, color: ColorTags = PQ, parameters: str = X265) -> Path:
    coding = Coding("yuv420p10le", "libx265", {"crf": "10", "x265-params": parameters}, color, tag="hvc1")
    return write_planes(path, coding, [picture()] * 6, SIZE)


def hdr10(path: Path) -> Path:
    return clip(path, PQ, f"{X265}:master-display={DISPLAY}:max-cll=1000,400")


def light_in_frames(path: Path) -> tuple[bytes, bytes]:
    with av.open(str(path)) as container:
        frame = list(container.decode(video=0))[-1]
        found = [
            frame.side_data.get(kind) for kind in (Type.MASTERING_DISPLAY_METADATA, Type.CONTENT_LIGHT_LEVEL)
        ]
        assert None not in found
        return bytes(found[0]), bytes(found[1])


def light_in_container(path: Path) -> dict[str, list[int]]:
    with path.open("rb") as file:
        boxes = picture_boxes(file, kinds=(b"mdcv", b"clli"))
    return {
        "mdcv": list(struct.unpack(">8H2I", boxes[b"mdcv"][8:])),
        "clli": list(struct.unpack(">2H", boxes[b"clli"][8:])),
    }


@pytest.mark.parametrize(
    ("codec", "container"),
    [("auto", "mp4"), ("hevc", "mov"), ("hevc", "mkv"), ("av1", "mp4"), ("av1", "webm"), ("prores", "mov")],
)
def test_the_light_of_hdr10_is_kept(tmp_path: Path, codec: str, container: str) -> None:
    source = hdr10(tmp_path / "clip.mp4")

    result = restored(source, codec=codec, container=container)

    before, after = light_in_frames(source), light_in_frames(result.path)
    assert values(after[0]) == pytest.approx(values(before[0]), abs=1e-4)
    assert after[1] == before[1] == struct.pack("=2I", 1000, 400)
    if container in ("mp4", "mov"):
        assert light_in_container(result.path) == {
            "mdcv": [13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10000000, 50],
            "clli": [1000, 400],
        }
    assert (result.report.color_out, result.report.bit_depth_out) == (PQ, 10)
    assert ("kept", "hdr") in [(one.kind, one.code) for one in result.info.findings]
    assert [one.text for one in result.info.findings if one.kind == "lost"] == []


def values(display: bytes) -> list[float]:
    numbers = struct.unpack("=22i", display[:88])
    return [numbers[at] / numbers[at + 1] for at in range(0, 20, 2)]


def test_matroska_has_the_light_in_its_header(tmp_path: Path) -> None:
    result = restored(hdr10(tmp_path / "clip.mp4"), container="mkv")

    head = result.path.read_bytes()[:4096]
    assert b"\x55\xbc\x82\x03\xe8" in head  # MaxCLL 1000
    assert b"\x55\xd0" in head  # the mastering display


def test_hlg_stays_hlg(tmp_path: Path) -> None:
    result = restored(clip(tmp_path / "clip.mp4", HLG))

    assert (result.report.color_out, result.report.bit_depth_out) == (HLG, 10)
    assert [one.text for one in result.info.findings if one.kind == "lost"] == []


def test_ffv1_says_that_it_leaves_the_light_out(tmp_path: Path) -> None:
    result = restored(hdr10(tmp_path / "clip.mp4"), codec="ffv1")

    assert result.report.color_out == PQ
    assert [one.code for one in result.info.findings if one.kind == "lost"] == ["hdr"]


def dolby_vision(path: Path, profile: int, compatibility: int) -> Path:
    record = bytes([1, 0, profile << 1 | 0, 0x10 | 1, compatibility << 4]) + bytes(19)
    add_picture_boxes(clip(path), {b"dvcC": struct.pack(">I4s", 32, b"dvcC") + record})
    return path


def test_dolby_vision_of_profile_5_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ColorRejected, match=r"Dolby Vision of profile 5.*Send it as profile 8"):
        restored(dolby_vision(tmp_path / "clip.mp4", 5, 0))


DOVI = 0xB0
"""The tag of Dolby Vision in a program map."""


def descriptor(profile: int, compatibility: int, refines: bool = False) -> bytes:
    """Of a stream that is a base by itself, or that ``refines`` another one."""
    begins = bytes([1, 0, profile << 1, 0x30 | 4 | (2 if refines else 1)])
    return begins + (bytes(2) if refines else b"") + bytes([compatibility << 4])


def with_units(path: Path, color: ColorTags, head: int, ones: str) -> Path:
    """A transport stream whose frames each have a unit of Dolby Vision: profile and level ``head``, then bits."""
    written = f"{25:08b}{2:06b}{18:011b}{head:08b}{ones}"
    unit = (
        int(written.ljust(-len(written) % 8 + len(written), "1"), 2).to_bytes(-(-len(written) // 8)) + b"\x80"
    )

    def add(packet: Any) -> Any:
        made = av.Packet(bytes(packet) + b"\0\0\0\1\x7c\x01" + unit)
        made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
        made.is_keyframe = packet.is_keyframe
        return made

    plain = clip(path.with_suffix(".plain.ts"), color)
    with av.open(str(plain)) as given, av.open(str(path), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in given.demux(video=0):
            if packet.size:
                made = add(packet)
                made.stream = video
                output.mux(made)
    return path


PROFILE_5 = "1" + "0" + "01" + "01" + "1"
"""What a unit says of its sequence: coefficients are floats, and the base has the full range."""
PROFILE_8 = "1" + "0" + "01" + "01" + "0" + "010" * 3 + "0" * 5 + "0"
PROFILE_7 = PROFILE_8[:-2] + "10"


def test_dolby_vision_of_profile_5_is_refused_wherever_it_is(tmp_path: Path) -> None:
    """In a transport stream with a descriptor and without, and where only the frames say so."""
    said = with_descriptor(clip(tmp_path / "said.ts"), DOVI, descriptor(5, 0))
    unsaid = with_units(tmp_path / "unsaid.ts", PQ, 0, PROFILE_5)
    frames_only = remux(unsaid, tmp_path / "unsaid.mkv", lambda _packet: None)
    for path in (said, unsaid, frames_only):
        with pytest.raises(ColorRejected, match=r"Dolby Vision of profile 5.*Send it as profile 8"):
            restored(path)


def test_dolby_vision_with_a_base_in_a_transport_stream_is_taken_as_that(tmp_path: Path) -> None:
    told = {
        with_descriptor(
            clip(tmp_path / "8.ts"), DOVI, descriptor(8, 1)
        ): "profile 8 is left out; its base, HDR10,",
        with_descriptor(
            clip(tmp_path / "7.ts"), DOVI, descriptor(7, 6, refines=True)
        ): "profile 7 is left out",
        with_units(tmp_path / "pq.ts", PQ, 1 << 4, PROFILE_8): "profile 8 is left out; its base, HDR10,",
        with_units(tmp_path / "hlg.ts", HLG, 1 << 4, PROFILE_8): "profile 8 is left out; its base, HLG,",
        with_units(tmp_path / "both.ts", PQ, 1 << 4, PROFILE_7): "profile 7 is left out; its base, HDR10,",
    }
    for path, text in told.items():
        info = asyncio.run(probe(path, LIMITS))
        (lost,) = [one.text for one in info.findings if one.kind == "lost"]
        assert text in lost


def test_a_transport_stream_without_dolby_vision_is_not_taken_for_one(tmp_path: Path) -> None:
    path = with_descriptor(clip(tmp_path / "clip.ts"), 0x05, b"DOVI")
    assert load_source(path).picture.dolby_vision is None


@pytest.mark.parametrize(("compatibility", "base"), [(1, "HDR10"), (4, "HLG")])
def test_dolby_vision_of_profile_8_is_taken_as_its_base(
    tmp_path: Path, compatibility: int, base: str
) -> None:
    result = restored(dolby_vision(tmp_path / "clip.mp4", 8, compatibility))

    lost = [one.text for one in result.info.findings if one.kind == "lost"]
    assert lost == [f"Dolby Vision of profile 8 is left out; its base, {base}, is restored."]


def test_tags_of_the_container_count_where_the_stream_has_none(tmp_path: Path) -> None:
    coding = Coding("yuv422p10le", "prores_ks", {"profile": "3"}, ColorTags(2, 2, 2, False))
    luma = np.full((96, 128), 500, np.uint16)
    path = write_planes(
        tmp_path / "clip.mov", coding, [[luma, *[np.full((96, 64), 512, np.uint16)] * 2]] * 2, SIZE
    )
    said = struct.pack(">I4s4s3H", 18, b"colr", b"nclc", 9, 16, 9)
    add_picture_boxes(path, {b"colr": said})

    result = restored(path)

    assert load_source(path).picture.color == ColorTags(9, 16, 9, False)
    assert (result.options.codec, result.report.color_out) == ("prores", ColorTags(9, 16, 9, False))
    with av.open(str(result.path)) as container:
        frame = next(container.decode(video=0))
    assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (9, 16, 9)
