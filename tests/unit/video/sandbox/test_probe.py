import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import av
import numpy as np
import psutil
import pytest

from service.errors.base import ServiceError
from service.errors.upload import EmptyUpload
from service.errors.video import (
    DamagedVideo,
    FrameSizeRejected,
    NotAVideo,
    NoVideoStream,
    ProbeTimeout,
    VideoTooLong,
)
from service.types import ColorTags, VideoInfo
from service.video.sandbox.probe import ProbeLimits, probe
from tests.support.clips import Clip, moving_picture, write_clip, write_sound

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)


def look(path: Path, limits: ProbeLimits = LIMITS) -> VideoInfo:
    return asyncio.run(probe(path, limits))


def test_the_gateways_side_loads_neither_ffmpeg_nor_numpy() -> None:
    script = "import sys, service.video.sandbox.probe; print(sorted({'av', 'numpy', 'onnxruntime'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_a_video_is_described(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(rotation=90, audio="aac"))

    assert replace(look(path), findings=()) == VideoInfo(
        container="mp4",
        codec="h264",
        width=96,
        height=64,
        frames=12,
        duration_s=0.48,
        fps=25.0,
        variable_frame_rate=False,
        rotation=90,
        bit_depth=8,
        color=ColorTags(1, 1, 1, full_range=False),
        audio=("aac",),
        subtitles=(),
    )


def test_a_file_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.webm", Clip(codec="libvpx-vp9", encoder={}, audio="libopus"))
    info = look(path.rename(tmp_path / "upload"))

    assert (info.container, info.codec, info.audio) == ("webm", "vp9", ("opus",))


def test_a_variable_rate_is_noticed(tmp_path: Path) -> None:
    times = (0, 3000, 4000, 9000, 9500, 12000)
    clip = Clip(frames=6, time_base=Fraction(1, 90000), pts=times)

    assert look(write_clip(tmp_path / "clip.mp4", clip)).variable_frame_rate


def test_rounding_to_milliseconds_is_no_variable_rate(tmp_path: Path) -> None:
    clip = Clip(frames=30, time_base=Fraction(1001, 30000))

    assert not look(write_clip(tmp_path / "clip.mkv", clip)).variable_frame_rate


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _random(path: Path) -> None:
    path.write_bytes(np.random.default_rng(7).bytes(20_000))


def _text(path: Path) -> None:
    path.write_text("This is not a video. " * 100)


def _picture(path: Path) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", width=96, height=64)
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(moving_picture(0), format="rgb24")))
        container.mux(stream.encode(None))


def _wave(path: Path) -> None:
    write_sound(path.with_suffix(".wav"), "pcm_s16le").rename(path)


def _sound_in_mp4(path: Path) -> None:
    write_sound(path.with_suffix(".m4a")).rename(path)


def _sound_with_cover(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=48_000)
        cover = container.add_stream("mjpeg", width=96, height=64)
        cover.pix_fmt, cover.disposition = "yuvj420p", av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(moving_picture(0)).reformat(format="yuvj420p")))
        container.mux(cover.encode(None))
        for block in range(8):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = 48_000, block * 1024
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


def _half_of_an_mp4(path: Path) -> None:
    whole = write_clip(path.with_suffix(".mp4")).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _mp4_without_streams(path: Path) -> None:
    path.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08mdat")


def _mp4_with_scrambled_frames(path: Path) -> None:
    whole = bytearray(write_clip(path.with_suffix(".mp4")).read_bytes())
    start = whole.index(b"mdat") + 4
    stop = whole.index(b"moov") - 4
    whole[start:stop] = np.random.default_rng(3).bytes(stop - start)
    path.write_bytes(whole)


BAD: dict[str, tuple[Callable[[Path], None], type[ServiceError]]] = {
    "empty": (_empty, EmptyUpload),
    "random bytes": (_random, NotAVideo),
    "text": (_text, NotAVideo),
    "a picture": (_picture, NotAVideo),
    "a sound file": (_wave, NotAVideo),
    "sound in MP4": (_sound_in_mp4, NoVideoStream),
    "sound with a cover picture": (_sound_with_cover, NoVideoStream),
    "truncated before its index": (_half_of_an_mp4, DamagedVideo),
    "no streams": (_mp4_without_streams, DamagedVideo),
    "frames that do not decode": (_mp4_with_scrambled_frames, DamagedVideo),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_uploads_get_a_specific_refusal(tmp_path: Path, name: str) -> None:
    make, expected = BAD[name]
    make(tmp_path / "upload")

    with pytest.raises(expected):
        look(tmp_path / "upload")


PLAYLISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {victim}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{victim}\n#EXT-X-ENDLIST\n",
    "hls over http": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1"><BaseURL>{victim}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "subtitles": "1\n00:00:00,000 --> 00:00:01,000\nHello\n",
}


@pytest.mark.parametrize("suffix", ["", ".mp4", ".m3u8", ".ffconcat"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_files_that_point_elsewhere_are_refused(tmp_path: Path, kind: str, suffix: str) -> None:
    victim = write_clip(tmp_path / "victim.mp4", Clip(frames=2))
    upload = tmp_path / f"upload{suffix}"
    upload.write_text(PLAYLISTS[kind].format(victim=victim.name))

    with pytest.raises(NotAVideo, match="container format"):
        look(upload)


@pytest.mark.parametrize(
    ("limits", "expected", "said"),
    [
        (replace(LIMITS, max_pixels=96 * 64 - 1), FrameSizeRejected, "96x64.*6143 pixels"),
        (replace(LIMITS, min_side=65), FrameSizeRejected, "65 pixels"),
        (replace(LIMITS, max_frames=11), VideoTooLong, "11"),
        (replace(LIMITS, max_duration_s=0.4), VideoTooLong, r"0\.5 s; 0\.4 s"),
    ],
)
def test_limits_are_enforced_and_named(
    tmp_path: Path, limits: ProbeLimits, expected: type[ServiceError], said: str
) -> None:
    with pytest.raises(expected, match=said):
        look(write_clip(tmp_path / "clip.mp4"), limits)


def test_a_video_at_the_very_limits_passes(tmp_path: Path) -> None:
    limits = replace(LIMITS, max_pixels=96 * 64, max_frames=12, max_duration_s=0.48, min_side=64)

    assert look(write_clip(tmp_path / "clip.mp4"), limits).frames == 12


def _bomb(path: Path) -> Path:
    """A few kilobytes that decode to 100 megabytes a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
        stream.width = stream.height = 8192
        frame = av.VideoFrame(8192, 8192, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_pixel_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    bomb = _bomb(tmp_path / "bomb.mp4")
    assert bomb.stat().st_size < 500_000

    with pytest.raises(FrameSizeRejected, match="8192x8192"):
        look(bomb)


def test_a_bomb_that_hides_its_size_fails_in_the_child_alone(tmp_path: Path) -> None:
    """The container says 64x64, the stream inside is 8192x8192: the decoder's own limit must hold."""
    bomb = bytearray(_bomb(tmp_path / "bomb.mp4").read_bytes())
    sizes = (8192).to_bytes(2, "big") + (8192).to_bytes(2, "big")
    at = bomb.index(sizes, bomb.index(b"avc1"))
    bomb[at : at + 4] = (64).to_bytes(2, "big") * 2
    (tmp_path / "bomb.mp4").write_bytes(bomb)

    with pytest.raises((FrameSizeRejected, DamagedVideo)):
        look(tmp_path / "bomb.mp4")


def test_too_little_memory_is_a_refusal_not_a_crash(tmp_path: Path) -> None:
    bomb = _bomb(tmp_path / "bomb.mp4")
    limits = replace(LIMITS, max_pixels=1 << 30, memory=256 << 20)

    with pytest.raises(DamagedVideo):
        look(bomb, limits)


@pytest.fixture
def probes() -> Callable[[], list[psutil.Process]]:
    """What returns the children that this test began; other tests may have left helpers of their own."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before]


def test_a_child_that_takes_too_long_is_ended(
    tmp_path: Path, probes: Callable[[], list[psutil.Process]]
) -> None:
    with pytest.raises(ProbeTimeout, match=r"0\.001 s"):
        look(write_clip(tmp_path / "clip.mp4"), replace(LIMITS, timeout_s=0.001))

    assert probes() == []


def test_a_canceled_probe_leaves_no_child(tmp_path: Path, probes: Callable[[], list[psutil.Process]]) -> None:
    path = write_clip(tmp_path / "clip.mp4")

    async def cancel_when_started() -> None:
        task = asyncio.create_task(probe(path, LIMITS))
        while not probes():  # noqa: ASYNC110  # a process sets no asyncio.Event
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_started())
    assert probes() == []


def test_a_probe_that_cannot_start_does_not_blame_the_upload(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")

    with (
        patch("sys.executable", shutil.which("false")),
        pytest.raises(RuntimeError, match="failed by itself"),
    ):
        look(path)


def test_one_probe_does_not_hold_up_the_event_loop(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")

    async def both() -> list[VideoInfo]:
        return await asyncio.gather(probe(path, LIMITS), probe(path, LIMITS))

    first, second = asyncio.run(both())
    assert first == second
