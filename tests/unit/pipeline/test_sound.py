"""Sound: copied where container and players take it, else coded anew with every sample at its time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from service.findings import Code, Finding, Kind
from service.pipeline.finalize import finalize
from service.video.packets.opus import opus_samples
from service.video.tracks.coding import lossless
from tests.support.clips import read_packets
from tests.support.track_clips import Track, Tracks, samples, tone, write_tracks
from tests.support.whole_way import Restored, restored

MJPEG = {"codec": "mjpeg", "pix_fmt": "yuvj420p"}


def sound(job: Restored) -> list[tuple[str, str]]:
    """Codec and layout of the result's sound streams."""
    with av.open(str(job.path)) as container:
        return [
            (stream.codec_context.name, stream.codec_context.layout.name)
            for stream in container.streams.audio
        ]


def said(findings: tuple[Finding, ...]) -> list[Kind]:
    return [one.kind for one in findings if one.code is Code.SOUND]


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le"])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_channels_without_a_layout_get_the_usual_one_and_every_sample_is_kept(
    tmp_path: Path, codec: str, layout: str, container: str
) -> None:
    source = write_tracks(tmp_path / "in.avi", Tracks([Track(codec, layout)], **MJPEG))
    job = restored(source, container=container)
    report = job.report

    coded = {"mp4": "flac"}.get(container, codec)
    ((kept, told),) = sound(job)
    assert kept == coded
    if container != "mkv":  # Matroska says how many channels there are, no more
        assert told.removesuffix("(side)") == layout  # FLAC has no other 5.1
    np.testing.assert_array_equal(samples(job.path), samples(source))
    assert said(report.findings) == said(job.info.findings) == [Kind.KEPT]
    assert report.losses == ()


LOSSLESS = {
    "camera's u8": (Track("pcm_u8", "mono", 11025), "avi"),
    "camera's ADPCM": (Track("adpcm_ima_wav", "mono", 22050), "avi"),
    "mu-law": (Track("pcm_mulaw", "mono", 8000), "mov"),
    "big endian": (Track("pcm_s16be", "stereo"), "mov"),
    "24 bits": (Track("pcm_s24le", "stereo"), "mov"),
    "FLAC": (Track("flac", "stereo"), "mkv"),
    "ALAC": (Track("alac", "stereo", format="s16p"), "mkv"),
    "TTA": (Track("tta", "stereo", format="s16"), "mkv"),
}


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("name", LOSSLESS)
def test_sound_without_loss_stays_so(tmp_path: Path, name: str, container: str) -> None:
    track, suffix = LOSSLESS[name]
    source = write_tracks(tmp_path / f"in.{suffix}", Tracks([track], **MJPEG))
    job = restored(source, codec="h264", container=container)
    report = job.report

    given, kept = samples(source), samples(job.path)
    wide = (one.astype(np.int64) for one in (given, kept))
    given_bits, kept_bits = (one.dtype.itemsize * 8 for one in (given, kept))
    given, kept = (
        one - (128 if bits == 8 else 0) for one, bits in zip(wide, (given_bits, kept_bits), strict=True)
    )
    np.testing.assert_array_equal(given << (64 - given_bits), kept << (64 - kept_bits))
    assert said(report.findings) == [Kind.KEPT]
    assert report.losses == ()


@pytest.mark.parametrize("codec", ["pcm_f32le", "pcm_s32le"])
def test_more_than_24_bits_are_rounded_for_mp4_and_it_is_said(tmp_path: Path, codec: str) -> None:
    source = write_tracks(tmp_path / "in.mov", Tracks([Track(codec)]))
    job = restored(source, container="mp4")
    report = job.report

    kept = samples(job.path).astype(np.float64) / 2**31
    assert np.abs(kept - tone(0.48, 48_000, 2)).max() < 2**-23
    assert said(report.findings) == [Kind.CHANGED]
    assert "rounded to 24 bits" in next(one.text for one in report.findings if one.code is Code.SOUND)


def test_a_mov_stays_one_with_each_kind_of_pcm_copied(tmp_path: Path) -> None:
    kinds = ["pcm_s16le", "pcm_s24le", "pcm_s32be", "pcm_f32le", "pcm_mulaw", "alac"]
    source = write_tracks(tmp_path / "in.mov", Tracks([Track(kind, "mono") for kind in kinds]))
    job = restored(source)
    report = job.report

    assert [codec for codec, _ in sound(job)] == kinds
    assert all(copy.identical for copy in report.copies)
    assert len(report.copies) == len(kinds)


def test_sound_that_a_container_cannot_hold_is_coded_as_players_know_it(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.avi", Tracks([Track("wmav2", options={"b": "128000"})], **MJPEG))
    job = restored(source, container="mp4")
    report = job.report

    assert sound(job) == [("aac", "stereo")]
    assert said(report.findings) == [Kind.CHANGED]
    assert report.losses == ()


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("mov", "aac"), ("mkv", "aac"), ("webm", "opus")]
)
def test_compatible_sound_is_what_every_player_knows(tmp_path: Path, container: str, codec: str) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track("flac")], seconds=1.0, frames=25))
    job = restored(source, container=container, sound="compatible")
    report = job.report

    assert sound(job) == [(codec, "stereo")]
    given, kept = tone(1.0, 48_000, 2), samples(job.path)
    shared = min(given.shape[1], kept.shape[1])
    assert abs(kept.shape[1] - given.shape[1]) <= 1024
    assert (
        np.abs(kept[:, 2000 : shared - 2000] - given[:, 2000 : shared - 2000]).max() < 0.03
    )  # no priming left in
    assert said(report.findings) == [Kind.CHANGED]
    assert report.losses == ()


def test_sound_that_may_not_be_coded_anew_is_left_out_and_said(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.avi", Tracks([Track("adpcm_ima_wav", "mono", 22050)], **MJPEG))
    job = restored(source, container="mp4", sound="copy")
    report = job.report

    assert sound(job) == []
    assert said(job.info.findings) == said(report.findings) == [Kind.LOST]
    assert "adpcm_ima_wav" in report.losses[0]


def test_sound_that_is_not_wanted_is_left_out_and_no_loss(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track("aac"), Track("pcm_s16le")]))
    job = restored(source, sound="none", strict="true")

    assert sound(job) == []
    assert said(job.info.findings) == said(job.report.findings) == [Kind.CHANGED, Kind.CHANGED]
    assert job.report.losses == ()


def test_copied_alac_keeps_its_last_packet(tmp_path: Path) -> None:
    source = write_tracks(
        tmp_path / "in.mkv", Tracks([Track("alac", "mono", format="s16p")], seconds=0.8, frames=20)
    )
    job = restored(source, container="mp4")

    assert sound(job) == [("alac", "mono")]
    np.testing.assert_array_equal(samples(job.path), samples(source))


def test_tracks_keep_their_names_languages_and_roles(tmp_path: Path) -> None:
    first = Track("aac", tags={"language": "fra", "title": "Fran\u00e7ais"}, disposition=1)
    second = Track("pcm_s16le", tags={"language": "jpn", "title": "Commentary"}, disposition=8)
    source = write_tracks(tmp_path / "in.mkv", Tracks([first, second]))
    job = restored(source, container="mp4")

    with av.open(str(job.path)) as container:
        told = [
            (stream.language, stream.metadata.get("name"), int(stream.disposition) & 1)
            for stream in container.streams.audio
        ]
    assert told == [("fra", "Fran\u00e7ais", 1), ("jpn", "Commentary", 0)]


@pytest.mark.parametrize("asked", ["auto", "compatible"])
def test_sound_that_begins_late_stays_late(tmp_path: Path, asked: str) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track("pcm_s16le", start_s=0.2)]))
    job = restored(source, container="mp4", sound=asked)

    with av.open(str(job.path)) as container:
        first = next(container.decode(audio=0))
        assert abs(first.pts * first.time_base - Fraction(1, 5)) < Fraction(1, 40)


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_sound_keeps_its_place_beside_a_picture_of_few_ticks(tmp_path: Path, container: str) -> None:
    """The picture counts 25 ticks a second, and the sound begins between two of them."""
    track = Track("alac", format="s16p", start_s=0.107)
    clip = Tracks([track], options={"video_track_timescale": "25", "movie_timescale": "48000"})
    job = restored(write_tracks(tmp_path / "in.mp4", clip), container=container)

    times = [begin for begin, _ in read_packets(job.path, "audio")]
    assert abs(times[0] - Fraction(107, 1000)) <= Fraction(1, 48_000)
    assert read_packets(job.path, "video")[0][0] == 0


def test_tta_whose_last_packet_depends_on_the_length_of_the_file_becomes_flac(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track("tta", format="s16")]))
    job = restored(source)

    assert sound(job) == [("flac", "stereo")]
    np.testing.assert_array_equal(samples(job.path), samples(source))


@pytest.mark.parametrize(
    ("given", "fields", "made"),
    [
        ("pcm_s16le", {"container": "mp4", "sound": "compatible"}, "aac"),
        ("tta", {"container": "mp4"}, "flac"),
    ],
)
def test_eight_channels_are_coded_anew(tmp_path: Path, given: str, fields: dict[str, str], made: str) -> None:
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track(given, "7.1", format="s16")]))
    job = restored(source, **fields)

    assert sound(job) == [(made, "7.1")]
    assert job.report.losses == ()
    assert said(job.report.findings) == [Kind.CHANGED if made == "aac" else Kind.KEPT]


def test_broadcast_pcm_is_stored_without_loss() -> None:
    context = av.CodecContext.create("s302m", "r")
    context.sample_rate, context.format = 48_000, "s32"

    coding = lossless(context, "stereo", "mp4")
    assert coding is not None
    assert (coding.codec, coding.sample_format, coding.exact) == ("flac", "s32", True)


@pytest.mark.parametrize("layout", ["6.1", "7.1"])
def test_channels_in_an_order_of_the_files_own_stay_so(tmp_path: Path, layout: str) -> None:
    source = write_tracks(tmp_path / "in.mov", Tracks([Track("pcm_s24le", layout)]))
    job = restored(source)

    assert read_packets(job.path, "audio") == read_packets(source, "audio")
    assert said(job.report.findings) == [Kind.KEPT]
    assert _channel_box(job.path) == _channel_box(source)


def _channel_box(path: Path) -> bytes:
    """Returns the box in which MOV says what its channels are."""
    data = path.read_bytes()
    at = data.index(b"chan")
    return data[at : at + int.from_bytes(data[at - 4 : at])]


@pytest.mark.parametrize("asked", ["auto", "compatible"])
def test_an_excerpt_has_its_own_samples(tmp_path: Path, asked: str) -> None:
    source = write_tracks(tmp_path / "in.avi", Tracks([Track("pcm_s16le")], **MJPEG, frames=30, seconds=1.2))
    job = restored(source, container="mp4", sound=asked, start="0.4", end="0.8")

    given, kept = samples(source)[:, 19_200:38_400], samples(job.path)
    assert abs(kept.shape[1] - 19_200) <= (0 if asked == "auto" else 1024)
    if asked == "auto":
        np.testing.assert_array_equal(kept, given)


def test_finishing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    tracks = [Track("pcm_s16le"), Track("adpcm_ima_wav", "mono", 22050)]
    source = write_tracks(tmp_path / "in.avi", Tracks(tracks, **MJPEG))
    job = restored(source, sound="compatible")
    first = job.path.read_bytes()

    assert finalize(source, job.pieces, job.path, job.info, job.options) == job.report
    assert job.path.read_bytes() == first


def test_dts_is_copied_as_it_is(tmp_path: Path) -> None:
    """Nothing here encodes DTS, so that a stream of MP2 is given its name: no decoder is asked."""
    source = write_tracks(tmp_path / "in.mkv", Tracks([Track("mp2")]))
    payloads = [payload for _, payload in read_packets(source, "audio")]
    source.write_bytes(source.read_bytes().replace(b"A_MPEG/L2", b"A_DTS\0\0\0\0"))
    result = restored(source)

    assert said(result.report.findings) == [Kind.KEPT]
    with av.open(str(result.path)) as output:
        assert output.streams.audio[0].codec_context.codec.canonical_name == "dts"
    assert [payload for _, payload in read_packets(result.path, "audio")] == payloads


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_packets_shorter_than_a_millisecond_do_not_make_the_sound_longer(
    tmp_path: Path, container: str
) -> None:
    """TrueHD has 40 samples in a packet: some have the time of the one before, in Matroska's milliseconds."""
    plain, source = write_tracks(tmp_path / "plain.mkv", Tracks([Track("mp2")])), tmp_path / "in.mkv"
    with av.open(str(plain)) as given, av.open(str(source), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0], opaque=True)
        sound = output.add_stream_from_template(given.streams.audio[0], opaque=True)
        (payload, *_) = [bytes(packet) for packet in given.demux(audio=0) if packet.size]
        given.seek(0)
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                output.mux(packet)
        for number in range(576):  # as many in 0.48 s as TrueHD has
            packet = av.Packet(payload)
            packet.stream, packet.time_base = sound, Fraction(1, 1000)
            packet.pts = packet.dts = number * 40 // 48
            packet.duration, packet.is_keyframe = 1, True
            output.mux(packet)
    result = restored(source, container=container)

    with av.open(str(result.path)) as output:
        times = [packet.pts * packet.time_base for packet in output.demux(audio=0) if packet.size]
    assert len(times) == 576
    assert float(times[-1] - times[0]) == pytest.approx(0.479, abs=0.005)


@pytest.mark.parametrize("frame_ms", ["2.5", "20", "60"])
@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "libx264"), ("webm", "libvpx-vp9")])
def test_opus_begins_and_ends_with_the_same_sample_in_mp4(
    tmp_path: Path, suffix: str, codec: str, frame_ms: str
) -> None:
    """Matroska rounds the 312 samples before the first one to 7 ms, and says how many fill the last packet."""
    track = Track("libopus", options={"frame_duration": frame_ms})
    wanted = Tracks([track], frames=20, seconds=0.8, codec=codec)
    source = write_tracks(tmp_path / f"in.{suffix}", wanted)
    job = restored(source, container="mp4")
    with av.open(str(source)) as given:
        before = int.from_bytes(given.streams.audio[0].codec_context.extradata[10:12], "little")
    with av.open(str(job.path)) as result:
        stream = result.streams.audio[0]
        packets = [packet for packet in result.demux(stream) if packet.size]
        length = Fraction(stream.duration) * stream.time_base
    played = samples(source)
    size = round(float(frame_ms) * 48)

    assert said(job.report.findings) == [Kind.KEPT]
    assert played.shape[1] == 38_400
    assert length == Fraction(38_400, 48_000)
    assert [packet.pts for packet in packets] == [size * at - before for at in range(len(packets))]
    assert sum(packet.duration for packet in packets) == before + 38_400
    np.testing.assert_array_equal(samples(job.path)[:, :38_400], played)  # FFmpeg plays the filling, too


def test_opus_in_mp4_stays_as_long_as_it_is(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mp4", Tracks([Track("libopus")], frames=20, seconds=0.8))
    with av.open(str(restored(source, container="mp4").path)) as result:
        assert result.streams.audio[0].duration == 38_400


@pytest.mark.parametrize("seconds", [0.8, 0.4711])
@pytest.mark.parametrize("container", ["mkv", "webm"])
def test_opus_from_mp4_ends_with_the_same_sample_in_matroska(
    tmp_path: Path, container: str, seconds: float
) -> None:
    """MP4 says by the duration of the last packet how much of it is played."""
    whole = write_tracks(tmp_path / "whole.mkv", Tracks([Track("libopus")], frames=20, seconds=seconds))
    source = restored(whole, container="mp4").path
    job = restored(source, container=container, codec={"mkv": "h264", "webm": "vp9"}[container])

    assert said(job.report.findings) == [Kind.KEPT]
    np.testing.assert_array_equal(samples(job.path), samples(whole))


@pytest.mark.parametrize(
    ("packet", "samples_held"),
    [
        (bytes([0 << 3]), 480),
        (bytes([3 << 3 | 1]), 2 * 2880),
        (bytes([12 << 3 | 2]), 2 * 480),
        (bytes([15 << 3]), 960),
        (bytes([16 << 3 | 3, 0x80 | 48]), 48 * 120),
        (bytes([31 << 3 | 3, 1]), 960),
        (bytes([31 << 3 | 3]), 0),
        (b"", 0),
    ],
)
def test_opus_packets_tell_how_long_they_are(packet: bytes, samples_held: int) -> None:
    assert opus_samples(packet) == samples_held
