"""Files that hold several clocks, one after the other, or one that begins anywhere."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from service.findings import Code, Kind
from service.video.container import open_video
from service.video.decode import decode_range
from service.video.findings.frames import frame_findings
from service.video.source import Source, load_source
from tests.support.broken_clips import joined, later, remux, step_back_in_ts
from tests.support.clips import Clip, psnr, read_packets, write_clip

FRAMES = 15
CLIP = Clip(frames=FRAMES, encoder={"crf": "8", "g": "6", "bf": "2"}, audio="aac")
FRAME = Fraction(1, 25)
WRAP = Fraction(1 << 33, 90_000)

STARTS = {
    "jumps ahead": (10, 990),
    "is set back": (100, 20),
    "is set back behind the wrap": (95_440, 30),
    "begins anew at the same time": (5, 5),
    "steps back by a frame": (5, 5 + FRAMES * FRAME - 2 * FRAME),
    "breaks three times": (50, 20, 2000, 1900),
}


def moments(source: Source) -> dict[str, list[Fraction]]:
    """When the packets of sound and picture appear on the continuous clock, in the order of the file."""
    found: dict[str, list[Fraction]] = {"video": [], "audio": []}
    reader = source.timeline.reader()
    with open_video(source.path) as container:
        for packet in container.demux():
            if packet.size:
                reader.place(packet)
                found[packet.stream.type].append(packet.pts * packet.time_base)
    return found


@pytest.mark.parametrize(
    ("suffix", "name"),
    [(".ts", name) for name in STARTS] + [(".flv", name) for name in STARTS if "wrap" not in name],
)
def test_a_clock_that_breaks_goes_on(tmp_path: Path, suffix: str, name: str) -> None:
    starts = STARTS[name]
    source = load_source(joined(tmp_path, suffix, CLIP, starts))
    index = source.index
    steps = [(after - before) * index.time_base for before, after in pairwise(index.pts)]

    assert index.frames == FRAMES * len(starts)
    assert len(source.timeline.breaks) == len(starts) - 1
    within = [step for number, step in enumerate(steps, 1) if number % FRAMES]
    assert set(within) == {FRAME}
    # Sound is a little longer than its pictures, and nothing of it is cut off.
    assert all(FRAME <= step < FRAME + Fraction(1, 10) for step in steps)


@pytest.mark.parametrize("name", STARTS)
def test_sound_keeps_its_distance_to_the_picture(tmp_path: Path, name: str) -> None:
    source = load_source(joined(tmp_path, ".ts", CLIP, STARTS[name]))
    found, parts = moments(source), len(STARTS[name])
    sounds = len(found["audio"]) // parts
    offsets = [found["audio"][part * sounds] - found["video"][part * FRAMES] for part in range(parts)]

    assert len(found["audio"]) == sounds * parts
    assert max(offsets) - min(offsets) <= 2 * source.index.time_base  # the parts are rounded one by one
    assert all(before < after for before, after in pairwise(found["audio"]))


@pytest.mark.parametrize("start", [0, 7, 14, 15, 16, 20, 29])
def test_frames_are_the_same_from_every_start(tmp_path: Path, start: int) -> None:
    """Seeks go by places in the file here, because its times are not unique."""
    source = load_source(joined(tmp_path, ".ts", CLIP, (5, 5)))

    for frame in decode_range(source, start, min(start + 3, 30)):
        assert psnr(frame.image, CLIP.picture(frame.number % FRAMES)) > 30
        assert not frame.held


@pytest.mark.parametrize("starts", [(0, 500), (500, 0), (5, 5)])
@pytest.mark.parametrize("suffix", [".mpg", ".mkv"])
def test_files_that_were_put_together_byte_by_byte_go_on(
    tmp_path: Path, suffix: str, starts: tuple[int, int]
) -> None:
    """Program streams store few times: FFmpeg computes the others, and errs where the clock breaks."""
    mpeg2 = {"codec": "mpeg2video", "encoder": {"g": "6", "bf": "2", "qscale": "2"}, "audio": "mp2"}
    clip = (
        Clip(frames=FRAMES, **mpeg2) if suffix == ".mpg" else replace(CLIP, encoder={"crf": "8", "bf": "0"})
    )
    source = load_source(joined(tmp_path, suffix, clip, starts))
    steps = [(after - before) * source.index.time_base for before, after in pairwise(source.index.pts)]

    assert source.index.frames == 2 * FRAMES
    assert all(FRAME <= step < FRAME + Fraction(1, 10) for step in steps)
    for frame in decode_range(source, 0, 2 * FRAMES):
        assert psnr(frame.image, clip.picture(frame.number % FRAMES)) > 28


@pytest.mark.parametrize("suffix", [".flv", ".mkv", ".mp4", ".ts"])
def test_a_clock_that_begins_late_begins_at_zero(tmp_path: Path, suffix: str) -> None:
    clip = Clip(encoder={"crf": "8", "bf": "0"}, audio="aac")
    moved = remux(
        write_clip(tmp_path / f"whole{suffix}", clip), tmp_path / f"clip{suffix}", later(Fraction(7200))
    )
    index = load_source(moved).index
    first = (index.pts[0] - index.origin) * index.time_base

    assert 0 <= first <= Fraction(1, 10)
    assert index.late == (suffix != ".ts")  # broadcasts never begin at zero, which is nothing to be told


def test_a_wrapped_clock_is_no_break(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.ts", CLIP)
    source = load_source(remux(whole, tmp_path / "clip.ts", later(WRAP - Fraction(17, 10))))
    steps = {(after - before) * source.index.time_base for before, after in pairwise(source.index.pts)}

    assert steps == {FRAME}
    assert not source.timeline.breaks


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_long_still_beside_sound_is_no_break(tmp_path: Path, suffix: str) -> None:
    """A screen recording: the picture stands for half a minute while the sound goes on."""
    times = (0, 40, 80, 30_080, 30_120, 30_160)
    clip = Clip(
        frames=6, time_base=Fraction(1, 1000), pts=times, audio="aac", encoder={"bf": "0", "crf": "8"}
    )
    source = load_source(write_clip(tmp_path / f"clip{suffix}", clip))
    first = source.index.pts[0]

    assert not source.timeline.breaks
    assert [(pts - first) * source.index.time_base for pts in source.index.pts] == [
        Fraction(time, 1000) for time in times
    ]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".flv"])
def test_a_long_still_without_sound_is_no_break_in_a_file(tmp_path: Path, suffix: str) -> None:
    clip = Clip(frames=3, time_base=Fraction(1, 1000), pts=(0, 40, 60_000), encoder={"bf": "0", "crf": "8"})
    source = load_source(write_clip(tmp_path / f"clip{suffix}", clip))

    assert not source.timeline.breaks
    assert (source.index.pts[2] - source.index.pts[1]) * source.index.time_base == Fraction(59_960, 1000)


def test_sound_alone_that_steps_back_keeps_its_order(tmp_path: Path) -> None:
    """Two packets carry times that were there before; the sound comes late there and is in step again after it."""
    clip = Clip(frames=40, encoder={"crf": "8", "bf": "0"}, audio="aac")
    path = write_clip(tmp_path / "clip.ts", clip)
    sounds = len(read_packets(path, "audio"))
    source = load_source(step_back_in_ts(path, pid=0x101, after_s=Fraction(8, 10), by=3600))
    found = moments(source)

    assert [one.stream for one in source.timeline.breaks] == [1]
    assert float(source.timeline.breaks[0].leap) == pytest.approx(-0.04)
    assert len(found["audio"]) == sounds
    assert all(before < after for before, after in pairwise(found["audio"]))
    assert {after - before for before, after in pairwise(sorted(found["video"]))} == {FRAME}


def test_a_frame_with_the_time_of_its_neighbor_is_left_out_and_said(tmp_path: Path) -> None:
    """All frames are keyframes: a single one that is late is no other clock."""
    clip = Clip(frames=10, codec="mpeg2video", encoder={"g": "1", "qscale": "2"})
    path = write_clip(tmp_path / "clip.ts", clip)
    last = load_source(path).index.pts[-1]
    source = load_source(step_back_in_ts(path, pid=0x100, after_s=Fraction(last, 90_000), by=3600))
    (one,) = frame_findings(source.index)

    assert (source.index.frames, source.index.duplicates) == (9, 1)
    assert not source.timeline.breaks
    assert (one.kind, one.code, one.count) == (Kind.LOST, Code.DUPLICATES, 1)
