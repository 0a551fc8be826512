"""``cdvd verify``: two files are compared without a service, and the exit code says how bad it is."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from service.types import ColorTags
from tests.support.broken_clips import cut_off, damage_frame, joined, later, remux, reshaped
from tests.support.caption_clips import CC, write_captioned
from tests.support.clips import Clip, read_packets, write_clip
from tests.support.command import run
from tests.support.interlaced_clips import Interlaced, write_hybrid
from tests.support.track_clips import Text, Track, Tracks, write_tracks
from tests.support.transport_streams import with_programs
from tests.support.whole_way import restored

RICH = Tracks(
    [Track("pcm_s16le", tags={"language": "fra"}), Track("aac", tags={"language": "jpn"})],
    [Text("subrip", [(100, 200, b"Bonjour")])],
    tags={"title": "Harbour"},
    chapters=[(0, 200, "One"), (200, 480, "Two")],
    attachments=[("f.ttf", "font/ttf", b"font")],
)


def kinds(told: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in json.loads(told)["findings"]:
        found.setdefault(one["code"], set()).add(one["kind"])
    return found


def test_a_result_that_keeps_everything_exits_with_0(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mkv", RICH)
    result = restored(source)
    ran = run("verify", source, result.path)

    assert ran.returncode == 0, ran.stdout
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["frames", "kept", "12"] in [line[:3] for line in lines]
    assert ran.stdout.splitlines()[-1] == "Everything is kept."


def test_what_is_in_another_form_exits_with_10(tmp_path: Path) -> None:
    plain = Tracks(RICH.sound, RICH.texts, tags=RICH.tags, chapters=RICH.chapters)
    source = write_tracks(tmp_path / "in.mkv", plain)
    ran = run("verify", source, restored(source, container="mp4", sound="compatible").path, "--json")

    assert ran.returncode == 10, ran.stdout
    told = kinds(ran.stdout)
    assert told["sound"] == {"kept", "changed"}
    assert told["subtitles"] == {"changed"}
    assert told["metadata"] == told["chapters"] == {"kept"}


def test_what_is_lost_exits_with_1_and_is_named(tmp_path: Path) -> None:
    source = write_tracks(tmp_path / "in.mkv", RICH)
    bare = tmp_path / "bare.mp4"
    with av.open(str(source)) as given, av.open(str(bare), "w") as output:
        video = output.add_stream_from_template(given.streams.video[0], opaque=True)
        for number, packet in enumerate(given.demux(video=0)):
            if packet.size and number < 10:
                packet.stream = video
                output.mux(packet)
    ran = run("verify", source, bare, "--json")

    assert ran.returncode == 1
    told = kinds(ran.stdout)
    for code in ("frames", "times", "sound", "subtitles", "attachments", "chapters", "metadata"):
        assert told[code] == {"lost"}, code
    assert json.loads(ran.stdout)["worst"] == "lost"
    assert any("2" in sentence for sentence in json.loads(ran.stdout)["losses"])


@pytest.mark.parametrize(
    ("clip", "code"),
    [
        (Clip(rotation=90), "rotation"),
        (
            Clip(codec="libx265", pix_fmt="yuv420p10le", encoder={"x265-params": "log-level=error"}),
            "bit_depth",
        ),
        (Clip(pix_fmt="yuv444p"), "chroma"),
        (Clip(width=128), "size"),
        (Clip(frames=13), "frames"),
    ],
)
def test_pictures_that_differ_are_told(tmp_path: Path, clip: Clip, code: str) -> None:
    given, other = write_clip(tmp_path / "given.mp4", clip), write_clip(tmp_path / "other.mp4")
    ran = run("verify", given, other, "--json")

    assert ran.returncode == 1
    assert kinds(ran.stdout)[code] == {"lost"}


def test_tags_that_a_source_did_not_have_are_no_loss(tmp_path: Path) -> None:
    bare = write_clip(tmp_path / "bare.mp4", Clip(color=ColorTags(2, 2, 2, full_range=False)))
    tagged = write_clip(tmp_path / "tagged.mp4")

    assert kinds(run("verify", bare, tagged, "--json").stdout)["color"] == {"changed"}
    assert kinds(run("verify", tagged, bare, "--json").stdout)["color"] == {"lost"}


def test_gray_that_gets_room_for_color_is_no_loss(tmp_path: Path) -> None:
    gray = write_clip(tmp_path / "gray.mkv", Clip(codec="ffv1", pix_fmt="gray", encoder={}))
    color = write_clip(tmp_path / "color.mkv", Clip(codec="ffv1", encoder={}))

    assert kinds(run("verify", gray, color, "--json").stdout)["chroma"] == {"changed"}
    assert kinds(run("verify", color, gray, "--json").stdout)["chroma"] == {"lost"}


def test_sound_that_does_not_decode_any_more_is_told(tmp_path: Path) -> None:
    given = write_tracks(tmp_path / "given.mkv", Tracks([Track("flac", format="s16")]))
    other = tmp_path / "other.mkv"
    data = bytearray(given.read_bytes())
    at = read_packets(given, "audio")[2][1]
    begin = data.index(at)
    data[begin : begin + len(at)] = bytes(len(at))
    other.write_bytes(data)
    ran = run("verify", given, other, "--json")

    assert ran.returncode == 1
    assert kinds(ran.stdout)["sound"] == {"lost"}
    assert any("does not decode" in sentence for sentence in json.loads(ran.stdout)["losses"])


def test_reordered_frames_of_avi_do_not_move_the_sound(tmp_path: Path) -> None:
    clip = Clip(frames=20, codec="mpeg4", encoder={"bf": "2", "qscale": "3"}, audio="libmp3lame")
    source = write_clip(tmp_path / "in.avi", clip)
    ran = run("verify", source, restored(source).path, "--json")

    assert json.loads(ran.stdout)["losses"] == []


def test_sound_that_is_out_of_step_is_told(tmp_path: Path) -> None:
    given = write_tracks(tmp_path / "given.mov", Tracks([Track("pcm_s16le")]))
    late = write_tracks(tmp_path / "late.mov", Tracks([Track("pcm_s16le", start_s=0.1)]))
    ran = run("verify", given, late, "--json")

    assert ran.returncode == 1
    assert kinds(ran.stdout)["clock"] == {"lost"}
    assert any("+100 ms" in sentence for sentence in json.loads(ran.stdout)["losses"])


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    given = write_clip(tmp_path / "given.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    ran = run("verify", given, tmp_path / "text.mp4")

    assert ran.returncode == 3
    assert "container format" in ran.stderr


PLAIN = Clip(frames=15, encoder={"crf": "8", "bf": "0"}, audio="aac")


FLAWS: dict[str, tuple[Callable[[Path], Path], str, str, str]] = {
    "shapes": (
        lambda folder: reshaped(folder / "in.ts"),
        "pixel_aspect",
        "lost",
        "The shape of pixels changes",
    ),
    "a frame that does not decode": (
        lambda folder: damage_frame(write_clip(folder / "in.mp4", PLAIN), 7, byte=0),
        "damage",
        "lost",
        "at 0.28 s",
    ),
    "truncated": (
        lambda folder: cut_off(write_clip(folder / "in.mkv", PLAIN), 0.6),
        "damage",
        "lost",
        "The file is truncated",
    ),
    "programs": (
        lambda folder: with_programs(folder / "in.ts", PLAIN, (1, 2)),
        "programs",
        "lost",
        "2 programs: missing",
    ),
    "clock": (lambda folder: joined(folder, ".ts", PLAIN, (10, 500)), "clock", "changed", "breaks"),
    "late": (
        lambda folder: remux(write_clip(folder / "whole.flv", PLAIN), folder / "in.flv", later(Fraction(60))),
        "start",
        "changed",
        "begins at 60",
    ),
}


@pytest.mark.parametrize("name", FLAWS)
def test_what_a_job_says_of_its_source_is_told(tmp_path: Path, name: str) -> None:
    make, code, kind, text = FLAWS[name]
    source = make(tmp_path)
    result = restored(source)
    foreseen = [one for one in result.info.findings if one.code == code and one.kind == kind]
    ran = run("verify", source, result.path, "--json")
    told = [one for one in json.loads(ran.stdout)["findings"] if one["code"] == code and one["kind"] == kind]

    assert ran.returncode == {"lost": 1, "changed": 10}[kind], ran.stdout
    assert len(foreseen) == len(told) == 1
    assert text in told[0]["text"] or text in json.loads(ran.stdout)["losses"][0]

    again = run("verify", source, source, "--json")
    assert again.returncode == 0, again.stdout


@pytest.mark.parametrize(
    ("fields", "kind"), [({"codec": "hevc"}, "kept"), ({"codec": "vp9", "container": "mkv"}, "lost")]
)
def test_captions_are_compared(tmp_path: Path, fields: dict[str, str], kind: str) -> None:
    source = write_captioned(tmp_path / "in.ts")
    ran = run("verify", source, restored(source, **fields).path, "--json")

    assert kinds(ran.stdout)["captions"] == {kind}
    assert ran.returncode == {"kept": 0, "lost": 1}[kind], ran.stdout


def test_captions_that_are_others_are_lost(tmp_path: Path) -> None:
    source = write_captioned(tmp_path / "in.ts")
    other = write_captioned(tmp_path / "other.ts", said=[*CC[:-1], CC[0]])

    assert kinds(run("verify", source, other, "--json").stdout)["captions"] == {"lost"}


@pytest.mark.parametrize("damaged", ["source", "result"])
def test_damage_that_only_decoding_shows_is_told(tmp_path: Path, damaged: str) -> None:
    """The packet begins like a healthy one, and does not go on like one."""
    healthy = write_clip(tmp_path / "healthy.mp4", PLAIN)
    path = damage_frame(write_clip(tmp_path / "damaged.mp4", PLAIN), 7, kept=16)
    pair = (path, healthy) if damaged == "source" else (healthy, path)
    ran = run("verify", *pair, "--json")

    assert ran.returncode == 1
    assert kinds(ran.stdout)["damage"] == {"lost"}
    assert any("at 0.28 s" in sentence for sentence in json.loads(ran.stdout)["losses"])
    assert "damage" not in kinds(run("verify", path, path, "--json").stdout)


def test_frames_that_are_interlaced_later_on_are_told(tmp_path: Path) -> None:
    source = write_hybrid(tmp_path, Clip(frames=10), Interlaced(frames=10))
    ran = run("verify", source, restored(source).path, "--json")

    assert kinds(ran.stdout)["interlacing"] == {"changed"}
