"""Everything beside picture and sound: metadata, chapters, subtitles, covers, attachments, data, boxes."""

import asyncio
import io
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from PIL import Image

from service.findings import Code, Kind
from service.options import JobOptions
from service.types import Excerpt
from service.video.headers.boxes import add_picture_boxes, picture_boxes
from service.video.sandbox.probe import probe
from service.video.tracks.describing import advanced
from tests.support.broken_clips import reshaped
from tests.support.caption_clips import CC, captions, write_captioned
from tests.support.clips import read_packets
from tests.support.track_clips import Text, Track, Tracks, write_tracks
from tests.support.whole_way import LIMITS, Restored, restored

APPLE = {
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 13",
    "com.apple.quicktime.location.ISO6709": "+10.0000+020.0000+030.000/",
    "com.apple.quicktime.creationdate": "2022-01-02T03:04:05+0300",
}
MDTA = {"movflags": "use_metadata_tags"}
SRT = [(100, 200, b"Guten <i>Tag</i>"), (350, 100, b"Ende")]
CLAP = struct.pack(">I4s8I", 40, b"clap", 90, 1, 60, 1, 0, 1, 0, 1)
SPHERICAL = bytes.fromhex("ffcc8263f8554a938814587a02521fdd") + b"<rdf:SphericalVideo/>"
UUID = struct.pack(">I4s", 8 + len(SPHERICAL), b"uuid") + SPHERICAL
STEREO = struct.pack(">I4sIB", 13, b"st3d", 0, 1)


def kinds(result: Restored, code: Code) -> list[Kind]:
    """What was said about a property, before and at the end the same."""
    before = [one.kind for one in result.info.findings if one.code is code]
    assert before == [one.kind for one in result.report.findings if one.code is code]
    return before


def streams(result: Restored) -> list[tuple[str, str]]:
    with av.open(str(result.path)) as container:
        return [
            (one.type, one.codec_context.name if one.codec_context else one.name or "")
            for one in container.streams
        ]


@pytest.mark.parametrize(
    ("suffix", "container"), [("mov", "mov"), ("mp4", "mp4"), ("mov", "mp4"), ("mov", "mkv")]
)
def test_place_date_and_maker_of_a_phone_are_kept(tmp_path: Path, suffix: str, container: str) -> None:
    source = write_tracks(tmp_path / f"in.{suffix}", Tracks(tags=APPLE, options=MDTA))
    result = restored(source, container=container, codec="h264")

    with av.open(str(result.path)) as output:
        kept = {key.lower(): value for key, value in output.metadata.items()}
    assert {key.lower(): value for key, value in APPLE.items()}.items() <= kept.items()
    assert kinds(result, Code.METADATA) == [Kind.KEPT]
    assert result.report.losses == ()


def test_usual_metadata_stays_where_players_look_for_it(tmp_path: Path) -> None:
    tags = {"title": "Harbour", "artist": "Someone", "comment": "A comment", "date": "2020"}
    result = restored(write_tracks(tmp_path / "in.mp4", Tracks(tags=tags)))

    with av.open(str(result.path)) as output:
        assert tags.items() <= output.metadata.items()
    assert b"\xa9nam" in result.path.read_bytes()
    assert b"mdta" not in result.path.read_bytes()


def test_names_and_languages_of_streams_are_kept(tmp_path: Path) -> None:
    told = {"language": "fra", "handler_name": "Main picture", "title": "Le port"}
    result = restored(write_tracks(tmp_path / "in.mp4", Tracks(video_tags=told)))

    with av.open(str(result.path)) as output:
        kept = output.streams.video[0].metadata
    assert (kept["language"], kept["handler_name"], kept["name"]) == ("fra", "Main picture", "Le port")


def test_tags_that_a_container_has_no_place_for_are_said(tmp_path: Path) -> None:
    sound = Track("aac", tags={"mood": "calm"})
    source = write_tracks(tmp_path / "in.mkv", Tracks([sound]))

    assert restored(source).report.losses == ()
    result = restored(source, container="mp4")
    assert kinds(result, Code.METADATA) == [Kind.LOST]
    assert "mood" in result.report.losses[0]


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_chapters_are_kept_and_their_track_is_no_loss(tmp_path: Path, container: str) -> None:
    source = write_tracks(tmp_path / "in.mp4", Tracks(chapters=[(0, 200, "One"), (200, 480, "Two")]))
    with av.open(str(source)) as given:
        assert given.streams.data  # QuickTime's chapter track
    result = restored(source, container=container, codec="h264")

    with av.open(str(result.path)) as output:
        assert [chapter["metadata"]["title"] for chapter in output.chapters()] == ["One", "Two"]
    assert set(kinds(result, Code.CHAPTERS)) == {Kind.KEPT}
    assert result.report.losses == ()


def timecode(result: Restored) -> str:
    with av.open(str(result.path)) as output:
        return output.streams.video[0].metadata["timecode"]


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_a_timecode_is_kept_and_moved_for_an_excerpt(tmp_path: Path, container: str) -> None:
    source = write_tracks(tmp_path / "in.mov", Tracks(video_tags={"timecode": "10:20:30:05"}, frames=20))
    result = restored(source, container=container, codec="h264")
    assert kinds(result, Code.TIMECODE) == [Kind.KEPT]
    assert result.report.losses == ()
    assert timecode(result) == "10:20:30:05"
    assert timecode(restored(source, container=container, codec="h264", start="0.2")) == "10:20:30:10"


@pytest.mark.parametrize(
    ("begin", "frames", "rate", "later"),
    [
        ("00:00:59;28", 2, 30, "00:01:00;02"),  # two numbers are left out at each minute
        ("00:09:59;29", 1, 30, "00:10:00;00"),  # but not at the tenth
        ("00:00:59:29", 1, 30, "00:01:00:00"),
        ("23:59:59:24", 1, 25, "00:00:00:00"),
        ("00:00:00;00", 17982, 30, "00:10:00;00"),
        ("not one", 5, 25, "not one"),
    ],
)
def test_timecode_is_counted_as_recorders_do(begin: str, frames: int, rate: int, later: str) -> None:
    assert advanced(begin, frames, rate) == later  # type: ignore[arg-type]


def test_a_cameras_telemetry_is_copied(tmp_path: Path) -> None:
    text = Text("mov_text", [(0, 200, b"\x00\x04DEVC"), (200, 200, b"\x00\x04STRM")])
    source = write_tracks(tmp_path / "in.mp4", Tracks(texts=[text]))
    source.write_bytes(source.read_bytes().replace(b"tx3g", b"gpmd").replace(b"sbtl", b"meta"))
    result = restored(source)

    assert [kind for kind, _ in streams(result)] == ["video", "data"]
    assert kinds(result, Code.DATA) == [Kind.KEPT]
    assert [(copy.kind, copy.identical) for copy in result.report.copies] == [("data", True)]
    assert restored(source, container="mkv").report.losses != ()


def test_text_subtitles_and_fonts_stay_in_matroska(tmp_path: Path) -> None:
    texts = [Text("subrip", SRT, {"language": "ger", "title": "Untertitel"})]
    source = write_tracks(
        tmp_path / "in.mkv",
        Tracks(texts=texts, attachments=[("f.ttf", "application/x-truetype-font", b"font")]),
    )
    result = restored(source)

    with av.open(str(result.path)) as output:
        (subtitles,) = output.streams.subtitles
        assert (subtitles.language, subtitles.metadata["title"]) == ("ger", "Untertitel")
        (font,) = output.streams.attachments
        assert (font.name, font.data) == ("f.ttf", b"font")
    assert [(copy.kind, copy.identical) for copy in result.report.copies] == [("subtitle", True)]
    assert kinds(result, Code.SUBTITLES) == kinds(result, Code.ATTACHMENTS) == [Kind.KEPT]


@pytest.mark.parametrize(
    ("codec", "containers"),
    [("dvd_subtitle", {"mkv", "mp4"}), ("hdmv_pgs_subtitle", {"mkv"}), ("dvb_subtitle", {"mkv"})],
)
def test_subtitles_that_are_pictures_are_copied_or_said_to_be_lost(
    tmp_path: Path, codec: str, containers: set[str]
) -> None:
    """They are those of DVD, Blu-ray and broadcasts; what says the end of a picture of Blu-ray ends all of them."""
    shown = [b"\x16\x00\x0b" + bytes([0, 96, 0, 64, 0x10, 0, number, 0, 0, 0, 0]) for number in range(2)]
    pictures = [(100, 200, shown[0] + b"\x80\x00\x00"), (350, 100, shown[1] + b"\x80\x00\x00")]
    texts = [Text(codec, pictures, {"language": "fra"})]
    source = write_tracks(tmp_path / "in.mkv", Tracks(texts=texts))
    for container, picture in (("mkv", "h264"), ("mp4", "h264"), ("mov", "h264"), ("webm", "vp9")):
        result = restored(source, container=container, codec=picture)
        kept = container in containers

        assert kinds(result, Code.SUBTITLES) == [Kind.KEPT if kept else Kind.LOST], container
        assert [copy.identical for copy in result.report.copies] == [True] * kept
        with av.open(str(result.path)) as output:
            assert [one.language for one in output.streams.subtitles] == ["fra"] * kept


def test_text_subtitles_become_plain_text_in_mp4_and_fonts_are_said_to_be_lost(tmp_path: Path) -> None:
    source = write_tracks(
        tmp_path / "in.mkv",
        Tracks(
            texts=[Text("subrip", SRT, {"language": "ger"})], attachments=[("f.ttf", "font/ttf", b"font")]
        ),
    )
    result = restored(source, container="mp4")

    with av.open(str(result.path)) as output:
        packets = [packet for packet in output.demux(subtitles=0) if packet.size > 2]
        assert output.streams.subtitles[0].language == "ger"
    texts = [(bytes(one)[2:], one.pts * one.time_base) for one in packets]
    assert texts == [(b"Guten Tag", Fraction(1, 10)), (b"Ende", Fraction(7, 20))]
    assert kinds(result, Code.SUBTITLES) == [Kind.CHANGED]
    assert kinds(result, Code.ATTACHMENTS) == [Kind.LOST]
    assert any("f.ttf" in sentence for sentence in result.report.losses)


def test_subtitles_of_mp4_become_text_in_matroska(tmp_path: Path) -> None:
    source = write_tracks(
        tmp_path / "in.mp4", Tracks(texts=[Text("mov_text", [(100, 200, b"\x00\x07Bonjour")])])
    )
    result = restored(source, container="mkv")

    with av.open(str(result.path)) as output:
        (packet,) = [packet for packet in output.demux(subtitles=0) if packet.size]
        assert bytes(packet) == b"Bonjour"


def with_cover(path: Path) -> Path:
    plain = write_tracks(path.with_name("plain.mp4"), Tracks())
    with av.open(str(plain)) as given, av.open(str(path), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0], opaque=True)
        cover = output.add_stream("png", rate=1, width=64, height=64)
        cover.pix_fmt, cover.disposition = "rgb24", Disposition.attached_pic
        output.start_encoding()
        picture = av.VideoFrame(64, 64, "rgb24")
        picture.pts = 0
        output.mux(cover.encode(picture))
        output.mux(cover.encode(None))
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                output.mux(packet)
    return path


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_cover_is_kept(tmp_path: Path, container: str) -> None:
    source = with_cover(tmp_path / "in.mp4")
    result = restored(source, container=container)

    with av.open(str(result.path)) as output:
        covers = [one for one in output.streams.video if one.disposition & Disposition.attached_pic]
        assert len(output.streams.video) == 2
        assert [(one.codec_context.name, one.codec_context.width) for one in covers] == [("png", 64)]
    assert kinds(result, Code.COVER) == [Kind.KEPT]
    assert result.report.losses == ()


def test_sound_before_the_picture_is_whole_beside_a_cover(tmp_path: Path) -> None:
    """The lead-in of AAC lies before zero."""
    cover = io.BytesIO()
    Image.new("RGB", (64, 64)).save(cover, "png")
    clip = Tracks([Track("aac")], attachments=[("cover.png", "image/png", cover.getvalue())])
    plain = {"avoid_negative_ts": "disabled"}
    source = write_tracks(tmp_path / "in.mkv", replace(clip, options=plain))
    result = restored(source)

    assert kinds(result, Code.COVER) == [Kind.KEPT]
    given = read_packets(source, "audio")
    assert given[0][0] < 0
    assert read_packets(result.path, "audio") == given


def test_a_cover_that_mov_has_no_place_for_is_said(tmp_path: Path) -> None:
    result = restored(with_cover(tmp_path / "in.mp4"), container="mov")

    assert [kind for kind, _ in streams(result)] == ["video"]
    assert kinds(result, Code.COVER) == [Kind.LOST]


@pytest.mark.parametrize(
    ("container", "start"), [("mkv", -0.021), ("webm", 0)]
)  # WebM: new sound, nothing to skip
def test_sound_before_the_picture_does_not_move_it_in_matroska(
    tmp_path: Path, container: str, start: float
) -> None:
    source = write_tracks(
        tmp_path / "in.mp4", Tracks([Track("aac")])
    )  # begins 1024 samples before the picture
    result = restored(source, container=container)

    with av.open(str(result.path)) as output:
        assert output.streams.video[0].start_time == 0
        sound = output.streams.audio[0]
        assert float(sound.start_time * sound.time_base) == pytest.approx(start, abs=0.001)
    assert result.report.largest_timestamp_error_s < 0.001
    assert Code.START not in [one.code for one in result.report.findings]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_clean_aperture_and_projection_are_copied_byte_for_byte(tmp_path: Path, suffix: str) -> None:
    source = write_tracks(
        tmp_path / f"in.{suffix}", Tracks([Track("aac")], options={"movflags": "faststart"})
    )
    boxes = {b"clap": CLAP, b"st3d": STEREO, b"uuid": UUID}
    before = [bytes(packet) for packet in av.open(str(source)).demux()]
    add_picture_boxes(source, boxes)
    assert [bytes(packet) for packet in av.open(str(source)).demux()] == before
    result = restored(source)

    with result.path.open("rb") as file:
        assert picture_boxes(file) == boxes
    assert result.report.copies[0].identical
    for code in (Code.CROP, Code.STEREO, Code.SPHERICAL):
        assert kinds(result, code) == [Kind.KEPT]
    lost = restored(source, container="mkv")
    assert kinds(lost, Code.CROP) == kinds(lost, Code.SPHERICAL) == [Kind.LOST]


@pytest.mark.parametrize("length", [0, 7, 8, 100, 1000])
def test_damaged_indexes_have_no_boxes(tmp_path: Path, length: int) -> None:
    whole = write_tracks(tmp_path / "in.mp4", Tracks()).read_bytes()

    assert picture_boxes(io.BytesIO(whole[:length])) == {}
    assert picture_boxes(io.BytesIO(whole.replace(b"trak", b"trax"))) == {}
    assert picture_boxes(io.BytesIO(whole.replace(b"stsd", b"stsx"))) == {}


def test_a_second_picture_is_copied(tmp_path: Path) -> None:
    plain, source = write_tracks(tmp_path / "plain.mp4", Tracks()), tmp_path / "in.ts"
    with av.open(str(plain)) as given, av.open(str(source), "w", format="mpegts") as output:
        added = [output.add_stream_from_template(given.streams.video[0], opaque=True) for _ in range(2)]
        for packet in given.demux(video=0):
            for stream in added if packet.size else ():
                copy = av.Packet(bytes(packet))
                copy.stream, copy.pts, copy.dts, copy.time_base = (
                    stream,
                    packet.pts,
                    packet.dts,
                    packet.time_base,
                )
                copy.is_keyframe = packet.is_keyframe
                output.mux(copy)
    result = restored(source)

    assert [kind for kind, _ in streams(result)] == ["video", "video"]
    assert kinds(result, Code.VIDEO_STREAMS) == [Kind.KEPT]
    assert result.report.losses == ()


def test_an_excerpt_has_its_own_part_of_the_texts(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks(texts=[Text("subrip", SRT)], frames=12))
    asked = JobOptions.from_text({"container": "mp4"})
    info = asyncio.run(probe(source, LIMITS, Excerpt(0.32), asked.asked))
    result = restored(source, container="mp4", start="0.32")

    assert info.frames == 4
    with av.open(str(result.path)) as output:
        (packet,) = [packet for packet in output.demux(subtitles=0) if packet.size > 2]
        assert bytes(packet)[2:] == b"Ende"
        assert float(packet.pts * packet.time_base) == pytest.approx(0.03, abs=0.002)


def test_pixels_that_change_their_shape_are_said_with_the_time(tmp_path: Path) -> None:
    source = reshaped(tmp_path / "in.ts")
    result = restored(source)

    (said,) = [one for one in result.info.findings if one.code is Code.PIXEL_ASPECT and one.kind is Kind.LOST]
    assert (said.count, said.frames, said.times_s) == (1, (10,), (0.4,))
    assert any("shape of pixels" in sentence for sentence in result.report.losses)


@pytest.mark.parametrize("fields", [{}, {"codec": "hevc"}, {"codec": "h264", "container": "mkv"}])
def test_captions_within_the_pictures_are_carried_over(tmp_path: Path, fields: dict[str, str]) -> None:
    source = write_captioned(tmp_path / "in.ts")
    assert captions(source) == CC
    result = restored(source, **fields)

    assert captions(result.path) == CC
    assert Kind.KEPT in kinds(result, Code.CAPTIONS)
    assert result.report.losses == ()


def test_captions_survive_deinterlacing(tmp_path: Path) -> None:
    source = write_captioned(tmp_path / "in.ts", flags="+ildct+ilme", **{"x264-params": "tff=1"})
    result = restored(source)

    assert Code.INTERLACING in {one.code for one in result.report.findings}
    assert captions(result.path) == captions(source) == CC


@pytest.mark.parametrize(
    "fields",
    [
        {"codec": "vp9", "container": "webm"},
        {"codec": "av1"},
        {"codec": "prores", "container": "mov"},
        {"codec": "ffv1", "container": "mkv"},
    ],
)
def test_captions_that_a_codec_does_not_carry_are_said(tmp_path: Path, fields: dict[str, str]) -> None:
    result = restored(write_captioned(tmp_path / "in.ts"), **fields)

    assert kinds(result, Code.CAPTIONS) == [Kind.LOST]


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_captions_that_begin_late_are_known_at_submission(tmp_path: Path, suffix: str, codec: str) -> None:
    """The first picture, which is all that is decoded then, has none."""
    late = [b""] * 6 + CC[6:]
    source = write_captioned(tmp_path / f"in.{suffix}", codec, late)
    assert captions(source) == late
    asked = JobOptions.from_text({"codec": "vp9", "container": "mkv"})

    def foreseen(part: Excerpt | None) -> list[Kind]:
        info = asyncio.run(probe(source, LIMITS, part, asked.asked))
        return [one.kind for one in info.findings if one.code is Code.CAPTIONS]

    assert foreseen(None) == foreseen(Excerpt(0.2, 0.3)) == [Kind.LOST]
    assert foreseen(Excerpt(0, 0.2)) == []
