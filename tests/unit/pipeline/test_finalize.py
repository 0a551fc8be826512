import asyncio
import json
import re
import resource
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from service.errors.pipeline import PipelineError
from service.errors.video import ExcerptEmpty
from service.findings import Code, Kind
from service.pipeline.finalize import finalize
from service.pipeline.report import FinalReport
from service.pipeline.segment import SegmentRequest, restore_segment
from service.pipeline.segments import plan_segments
from service.types import ColorTags, EncodeOptions, Excerpt, Segment, VideoInfo
from service.video.sandbox.probe import ProbeLimits, probe
from tests.support.broken_clips import damage_frame, joined
from tests.support.clips import Clip, psnr, read_frames, read_packets, write_clip
from tests.support.fake_engines import IdentityEngine
from tests.support.job_files import JOB, storage_of_one_job

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)
ENCODE = EncodeOptions(crf=4)


class Job:
    """A video's whole way, with an engine that changes nothing."""

    def __init__(self, source: Path, excerpt: Excerpt | None = None) -> None:
        self.source = source
        self.storage = storage_of_one_job(source.parent / "data")
        self.info: VideoInfo = asyncio.run(probe(source, LIMITS, excerpt))
        self.pieces = [source.with_name(f"piece-{s.index}.mp4") for s in plan_segments(self.info.frames, 5)]

    def restore(self) -> None:
        for segment, piece in zip(plan_segments(self.info.frames, 5), self.pieces, strict=True):
            request = SegmentRequest(self.source, piece, segment, ENCODE, window=3, excerpt=self.info.excerpt)
            restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False)

    def finalize(self) -> FinalReport:
        with self.storage.writing(JOB, "result.mp4") as target:
            return finalize(self.source, self.pieces, target, self.info, ENCODE)

    @property
    def target(self) -> Path:
        found = self.storage.find(JOB, "result.mp4")
        assert found is not None
        return found

    def run(self) -> FinalReport:
        self.restore()
        return self.finalize()


def assert_same_video(job: Job, report: FinalReport, undamaged: int | None = None) -> None:
    given, result = read_frames(job.source), read_frames(job.target)
    times = sorted(time for time, _ in given)  # the frames are in order, the times that AVI lacks are not
    assert [time for time, _ in result] == [time - times[0] + result[0][0] for time in times]
    assert report.frames_in == report.frames_out == len(given)
    assert report.largest_timestamp_error_s == 0
    for (_, one), (_, two) in list(zip(given, result, strict=True))[:undamaged]:
        assert (two.width - one.width, two.height - one.height) == (one.width % 2, one.height % 2)
        restored = two.to_ndarray(format="rgb24")[: one.height, : one.width]
        assert psnr(one.to_ndarray(format="rgb24"), restored) > 37


VARIABLE = (0, 1001, 4321, 4500, 9000, 9090, 20000, 20033, 30000, 41111, 41200, 50000)

CLIPS = {
    "constant rate with B-frames": ("clip.mp4", Clip(encoder={"crf": "8", "bf": "3"})),
    "29.97 frames per second": ("clip.mp4", Clip(time_base=Fraction(1001, 30000))),
    "variable rate": ("clip.mp4", Clip(time_base=Fraction(1, 90000), pts=VARIABLE)),
    "late start": ("clip.mp4", Clip(time_base=Fraction(1, 90000), pts=[pts + 12345 for pts in VARIABLE])),
    "Matroska in milliseconds": ("clip.mkv", Clip(time_base=Fraction(1001, 30000))),
    "transport stream": ("clip.ts", Clip(audio="aac")),
    "VP9 in WebM": ("clip.webm", Clip(codec="libvpx-vp9", encoder={"crf": "10", "cpu-used": "8"})),
    "MPEG-4 with B-frames in AVI": ("clip.avi", Clip(codec="mpeg4", encoder={"bf": "2", "qscale": "2"})),
    "H.264 with B-frames in AVI": ("clip.avi", Clip(encoder={"crf": "8", "bf": "3"})),
    "HEVC with open groups": (
        "clip.mp4",
        Clip(
            codec="libx265",
            encoder={"crf": "8", "x265-params": "keyint=6:min-keyint=6:open-gop=1:log-level=error"},
        ),
    ),
    "odd size": ("clip.webm", Clip(width=99, height=67, codec="libvpx-vp9", encoder={"crf": "10"})),
    "full range BT.601": ("clip.mp4", Clip(color=ColorTags(6, 6, 6, full_range=True))),
    "one frame": ("clip.mp4", Clip(frames=1)),
    "two frames": ("clip.mp4", Clip(frames=2)),
    "three frames": ("clip.mp4", Clip(frames=3)),
    "four frames": ("clip.mp4", Clip(frames=4)),
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_comes_back_at_its_time(tmp_path: Path, name: str) -> None:
    file, clip = CLIPS[name]
    job = Job(write_clip(tmp_path / file, clip))

    assert_same_video(job, job.run())


def test_sound_is_copied_packet_by_packet_and_stays_in_place(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4", Clip(audio="aac")))
    report = job.run()

    assert read_packets(job.target, "audio") == read_packets(job.source, "audio")
    assert [(copy.kind, copy.codec, copy.identical) for copy in report.copies] == [("audio", "aac", True)]


def test_sound_of_a_transport_stream_keeps_its_distance_to_the_picture(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.ts", Clip(audio="aac")))
    report = job.run()

    def lag(path: Path) -> Fraction:
        return read_packets(path, "audio")[0][0] - read_frames(path)[0][0]

    assert abs(lag(job.target) - lag(job.source)) < Fraction(1, 48000)
    assert report.timestamp_shift_s > 0
    assert report.copies[0].identical


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_passed_on_and_not_baked_in(tmp_path: Path, degrees: int) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4", Clip(rotation=degrees)))
    report = job.run()

    assert report.rotation_in == report.rotation_out == job.info.rotation == degrees
    assert read_frames(job.target)[0][1].rotation == read_frames(job.source)[0][1].rotation
    assert_same_video(job, report)


@pytest.mark.parametrize(
    "tags",
    [
        ColorTags(1, 1, 1, False),
        ColorTags(6, 6, 6, True),
        ColorTags(9, 1, 9, False),
        ColorTags(2, 2, 2, False),
    ],
)
def test_color_survives_and_its_tags_stay(tmp_path: Path, tags: ColorTags) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4", Clip(frames=3, color=tags)))
    report = job.run()

    assert report.color_in == report.color_out == tags
    for (_, one), (_, two) in zip(read_frames(job.source), read_frames(job.target), strict=True):
        planes = one.to_ndarray(format=one.format.name), two.to_ndarray(format=two.format.name)
        assert abs(planes[0].astype(float) - planes[1]).mean() < 1.0
        assert abs(float(planes[0].mean()) - float(planes[1].mean())) < 0.3


@pytest.mark.parametrize("file", ["clip.mkv", "clip.ts", "clip.webm"])
def test_what_is_left_of_a_truncated_recording_comes_back(tmp_path: Path, file: str) -> None:
    vp9 = Clip(frames=30, codec="libvpx-vp9", encoder={"crf": "10", "g": "8"})
    source = write_clip(
        tmp_path / file, vp9 if file.endswith("webm") else Clip(frames=30, encoder={"g": "8"})
    )
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 3 // 5])
    job = Job(source)

    assert 5 < job.info.frames < 30
    # What a decoder makes of the half of a frame at the very end differs from run to run.
    assert_same_video(job, job.run(), undamaged=-1)


def test_damage_that_the_decoder_conceals_is_counted(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.ts", Clip(frames=30, encoder={"crf": "4", "g": "8", "bf": "0"}))
    packets = [source.read_bytes()[at : at + 188] for at in range(0, source.stat().st_size, 188)]
    middle = next(at for at in range(len(packets) // 2, len(packets)) if packets[at][3] & 0x30 == 0x10)
    source.write_bytes(b"".join(packets[:middle] + packets[middle + 1 :]))
    frames = asyncio.run(probe(source, LIMITS)).frames
    request = SegmentRequest(source, tmp_path / "piece.mp4", Segment(0, 0, frames), ENCODE, window=4)
    result = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False)

    assert result.frames == frames == 30
    (damage,) = result.findings
    assert (damage.kind, damage.code) == (Kind.LOST, Code.DAMAGE)
    assert 0 < damage.count < 10
    assert all(0.4 < moment < 1.2 for moment in damage.times_s)


def test_text_subtitles_of_an_mp4_are_copied(tmp_path: Path) -> None:
    plain, source = write_clip(tmp_path / "plain.mp4", Clip(frames=50)), tmp_path / "clip.mp4"
    with av.open(str(plain)) as given, av.open(str(source), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0], opaque=True)
        text = output.add_mux_stream("mov_text", time_base=Fraction(1, 1000))
        text.metadata["language"] = "fra"
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                output.mux(packet)
        line = av.Packet(b"\x00\x07Bonjour")
        line.stream, line.time_base, line.pts, line.dts, line.duration = (
            text,
            Fraction(1, 1000),
            500,
            500,
            800,
        )
        output.mux(line)
    job = Job(source)
    report = job.run()

    assert job.info.subtitles == ("mov_text",)
    assert [(copy.kind, copy.codec, copy.identical) for copy in report.copies] == [
        ("subtitle", "mov_text", True)
    ]
    with av.open(str(job.target)) as result:
        assert result.streams.subtitles[0].language == "fra"


def test_metadata_and_chapters_are_carried_over(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", Clip(audio="aac", metadata={"title": "Harbour"}))
    source = tmp_path / "clip.mp4"
    with av.open(str(plain)) as given, av.open(str(source), "w") as output:
        output.metadata.update({"title": "Harbour"})
        copies = {
            stream.index: output.add_stream_from_template(stream, opaque=True) for stream in given.streams
        }
        chapter = {
            "id": 1,
            "start": 0,
            "end": 200,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": "One"},
        }
        output.set_chapters([chapter])
        for packet in given.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    job = Job(source)
    job.run()

    with av.open(str(job.target)) as result:
        assert result.metadata["title"] == "Harbour"
        assert [chapter["metadata"]["title"] for chapter in result.chapters()] == ["One"]


def test_ten_bit_video_is_reduced_and_the_report_says_so(tmp_path: Path) -> None:
    encoder = {"crf": "8", "x265-params": "log-level=error"}
    clip = Clip(frames=3, codec="libx265", pix_fmt="yuv420p10le", encoder=encoder)
    job = Job(write_clip(tmp_path / "clip.mp4", clip))
    report = job.run()

    assert (report.bit_depth_in, report.bit_depth_out) == (10, 8)
    assert any("10 bits" in sentence for sentence in report.losses)


def test_the_result_starts_with_its_index(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4"))
    job.run()

    head = job.target.read_bytes()
    assert 0 < head.index(b"moov") < head.index(b"mdat")


def test_finalizing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4", Clip(audio="aac")))
    first_report = job.run()
    first = job.target.read_bytes()

    assert job.finalize() == first_report
    assert job.target.read_bytes() == first


def test_a_missing_piece_is_named_and_nothing_is_published(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4"))
    job.restore()
    job.pieces[1].unlink()
    before = set(tmp_path.rglob("*"))

    with pytest.raises(PipelineError, match=r"piece-1\.mp4"):
        job.finalize()
    assert set(tmp_path.rglob("*")) == before


def test_a_result_that_cannot_be_written_names_the_stream_and_the_reason_and_no_path(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4", Clip(audio="aac")))
    job.restore()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(PipelineError) as failure:
            job.finalize()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    message = str(failure.value)
    assert re.fullmatch(
        r"(A packet of (video|audio) stream \d|The end) of the result cannot be written: .*\.", message
    )
    assert "File too large" in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize("mistake", ["left out", "twice", "swapped"])
def test_pieces_that_do_not_make_the_video_are_refused(tmp_path: Path, mistake: str) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4"))
    job.restore()
    first, second = job.pieces[:2]
    job.pieces = {"left out": [first], "twice": [first, first, second], "swapped": [second, first]}[mistake]
    before = set(tmp_path.rglob("*"))

    with pytest.raises(PipelineError):
        job.finalize()
    assert set(tmp_path.rglob("*")) == before


def test_a_damaged_piece_is_refused_and_nothing_is_published(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4"))
    job.restore()
    job.pieces[0].write_bytes(job.pieces[0].read_bytes()[:100])
    before = set(tmp_path.rglob("*"))

    with pytest.raises(PipelineError):
        job.finalize()
    assert set(tmp_path.rglob("*")) == before


def test_a_source_that_changed_since_the_probe_is_refused(tmp_path: Path) -> None:
    job = Job(write_clip(tmp_path / "clip.mp4"))
    job.restore()
    job.info = replace(job.info, frames=job.info.frames + 1)

    with pytest.raises(PipelineError, match="13 frames when it came in"):
        job.finalize()


def test_the_report_is_json(tmp_path: Path) -> None:
    report = json.loads(Job(write_clip(tmp_path / "clip.mp4", Clip(frames=2))).run().to_json())

    assert report["frames_out"] == 2
    assert report["versions"]["ffmpeg"]
    assert report["options"]["crf"] == ENCODE.crf


EXCERPTS = {
    "MP4 with groups": ("clip.mp4", Clip(frames=30, encoder={"crf": "8", "bf": "3", "g": "8"}, audio="aac")),
    "Matroska": ("clip.mkv", Clip(frames=30, encoder={"crf": "8", "g": "8"}, audio="aac")),
    "transport stream": ("clip.ts", Clip(frames=30, encoder={"crf": "8", "g": "8"}, audio="aac")),
    "AVI, which is decoded from the start": ("clip.avi", Clip(frames=30, audio="libmp3lame")),
    "variable rate": (
        "clip.mp4",
        Clip(time_base=Fraction(1, 1000), pts=[40 * n + n % 3 for n in range(30)], frames=30, audio="aac"),
    ),
}


@pytest.mark.parametrize("name", EXCERPTS)
def test_an_excerpt_is_a_video_of_its_own_with_its_part_of_the_sound(tmp_path: Path, name: str) -> None:
    file, clip = EXCERPTS[name]
    source = write_clip(tmp_path / file, clip)
    job = Job(source, Excerpt(0.36, 0.8))
    report = job.run()

    given, result = read_frames(source), read_frames(job.target)
    times = sorted(time for time, _ in given)
    clock = times[0] if file.endswith(".ts") else 0
    first = sum(time - clock < Fraction(36, 100) for time in times)
    times = times[first : first + 11]
    assert len(result) == job.info.frames == report.frames_out == 11
    assert [time - result[0][0] for time, _ in result] == [time - times[0] for time in times]
    for (_, one), (_, two) in zip(given[first : first + 11], result, strict=True):
        assert psnr(one.to_ndarray(format="rgb24"), two.to_ndarray(format="rgb24")) > 38
    (sound,) = report.copies
    assert sound.identical
    assert 0 < sound.packets * 1024 / 48_000 <= 0.44 + 0.03


def test_an_excerpt_from_the_start_keeps_the_clock_and_one_to_the_end_the_last_frame(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", Clip(frames=20))

    assert asyncio.run(probe(source, LIMITS, Excerpt(end_s=0.2))).frames == 5
    assert asyncio.run(probe(source, LIMITS, Excerpt(start_s=0.6))).frames == 5
    assert Job(source, Excerpt(start_s=0.6)).run().frames_out == 5


def test_an_excerpt_without_a_frame_is_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", Clip(frames=20))

    with pytest.raises(ExcerptEmpty, match="the video lasts"):
        asyncio.run(probe(source, LIMITS, Excerpt(start_s=0.8)))


@pytest.mark.parametrize(
    ("file", "clip", "kept"),
    [
        ("clip.mp4", Clip(frames=12, encoder={"crf": "8", "g": "5", "bf": "0"}), 5),
        ("clip.mov", Clip(frames=12, codec="prores_ks", pix_fmt="yuv422p10le", encoder={}), 8),
        ("clip.mov", Clip(frames=12, codec="png", pix_fmt="rgb24", encoder={}), 8),
    ],
)
def test_a_frame_that_does_not_decode_is_said_with_its_time(
    tmp_path: Path, file: str, clip: Clip, kept: int
) -> None:
    """Its packet begins like one of a frame, so that nobody knows before it is decoded."""
    source = damage_frame(write_clip(tmp_path / file, clip), 6, byte=0, kept=kept)
    request = SegmentRequest(source, tmp_path / "piece.mp4", Segment(1, 5, 10), ENCODE, window=4)
    (damage,) = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False).findings

    assert (damage.kind, damage.code, damage.frames, damage.times_s) == (
        Kind.LOST,
        Code.DAMAGE,
        (6,),
        (0.24,),
    )


@pytest.mark.parametrize("starts", [(10, 990), (100, 20), (5, 5)])
def test_a_result_has_one_clock_whatever_its_source_has(tmp_path: Path, starts: tuple[int, int]) -> None:
    clip = Clip(frames=12, encoder={"crf": "8", "bf": "2"}, audio="aac")
    job = Job(joined(tmp_path, ".ts", clip, starts))
    report = job.run()
    pictures = [time for time, _ in read_frames(job.target)]
    sound = read_packets(job.target, "audio")
    half = len(sound) // 2

    assert report.frames_out == len(pictures) == 24
    assert sound[0][0] == 0
    assert pictures[-1] < 1.1
    assert [payload for _, payload in sound[:half]] == [payload for _, payload in sound[half:]]
    offsets = [sound[0][0] - pictures[0], sound[half][0] - pictures[12]]
    assert abs(offsets[0] - offsets[1]) < Fraction(1, 1000)


def test_damaged_sound_does_not_end_a_job_at_its_end(tmp_path: Path) -> None:
    """A packet of AAC that has lost its head fits into no MP4; the others stay at their times."""
    source = write_clip(tmp_path / "clip.ts", Clip(frames=25, audio="aac"))
    before = read_packets(source, "audio")
    data = bytearray(source.read_bytes())
    at = data.index(before[20][1][:16])
    data[at : at + 2] = b"\0\0"
    source.write_bytes(data)
    job = Job(source)
    report = job.run()
    kept = read_packets(job.target, "audio")

    (lost,) = [one for one in report.findings if one.kind is Kind.LOST]
    assert (lost.code, lost.stream) == (Code.DAMAGE, 1)
    assert lost in job.info.findings
    assert len(before) - 4 <= len(kept) < len(before)  # its neighbors are cut where FFmpeg looks for heads
    assert kept[-1][0] == pytest.approx(before[-1][0] - before[0][0], abs=0.001)
