"""Formats that hold their own frames, and what is read as a video although it is none: pictures and animations."""

from __future__ import annotations

import asyncio
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors.video import DamagedVideo, NoVideoStream, VideoError
from service.types import VideoInfo
from service.video.decode import decode_range
from service.video.sandbox.probe import ProbeLimits, probe
from service.video.source import load_source
from tests.support.animations import picture_bytes, write_archive, write_webp
from tests.support.broken_clips import damage_frame
from tests.support.clips import Clip, moving_picture, psnr, write_clip

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)


def look(path: Path) -> VideoInfo:
    return asyncio.run(probe(path, LIMITS))


def assert_frames(path: Path, frames: int, at_least: float = 30, clip: Clip | None = None) -> None:
    source = load_source(path)
    assert source.index.frames == frames
    for start in (0, frames // 2, frames - 1):
        for frame in decode_range(source, start, min(start + 3, frames)):
            drawn = (clip or Clip()).picture(frame.number)
            assert psnr(frame.image, drawn) > at_least
            assert not frame.held


FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "GIF": ("clip.gif", "gif", {"codec": "gif", "pix_fmt": "rgb8", "encoder": {}}),
    "APNG": ("clip.apng", "apng", {"codec": "apng", "pix_fmt": "rgb24", "encoder": {}}),
    "Y4M": ("clip.y4m", "yuv4mpegpipe", {"codec": "wrapped_avframe", "encoder": {}}),
    "MXF with MPEG-2": (
        "clip.mxf",
        "mxf",
        {"codec": "mpeg2video", "encoder": {"qscale": "2", "bf": "2"}, "width": 128, "height": 96},
    ),
    "MXF with ProRes": (
        "clip.mxf",
        "mxf",
        {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "encoder": {}, "width": 256, "height": 128},
    ),
    "DV": ("clip.dv", "dv", {"codec": "dvvideo", "encoder": {}, "width": 720, "height": 576}),
    "IVF": ("clip.ivf", "ivf", {"codec": "libvpx-vp9", "encoder": {"crf": "10"}}),
    "NUT": ("clip.nut", "nut", {"codec": "ffv1", "encoder": {}}),
    "ProRes in MOV": ("clip.mov", "mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le", "encoder": {}}),
}


@pytest.mark.parametrize("name", FILES)
def test_formats_with_frames_of_their_own_are_taken(tmp_path: Path, name: str) -> None:
    file, container, fields = FILES[name]
    clip = Clip(frames=8, **fields)
    path = write_clip(tmp_path / file, clip)
    info = look(path)

    assert (info.container, info.frames, info.has_alpha) == (container, 8, False)
    assert info.fps == pytest.approx(
        25, rel=0.15
    )  # a GIF counts in hundredths and does not tell how long it ends
    assert_frames(path, 8, 15 if name == "GIF" else 28, clip)


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_pictures_is_a_video_in_the_order_of_their_numbers(
    tmp_path: Path, kind: str, method: int
) -> None:
    path = write_archive(tmp_path / "upload", kind=kind, method=method)
    info = look(path)

    assert (info.container, info.frames, info.fps, info.width, info.height) == ("zip", 12, 25, 96, 64)
    assert_frames(path, 12, 30 if kind == "jpeg" else 98)


@pytest.mark.parametrize(
    ("rate", "fps"), [("24", 24), ("30000/1001", Fraction(30000, 1001)), ("12.5", Fraction(25, 2))]
)
def test_a_zip_says_how_many_frames_a_second_has(tmp_path: Path, rate: str, fps: Fraction) -> None:
    assert look(write_archive(tmp_path / "upload", rate=rate)).fps == pytest.approx(float(fps))


@pytest.mark.parametrize("rate", ["0", "fast", "1/0", "-5", "1e3", "99999"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: str) -> None:
    with pytest.raises(DamagedVideo, match="number from 0 to 1000"):
        look(write_archive(tmp_path / "upload", rate=rate))


def test_a_picture_that_is_damaged_holds_the_one_before(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "upload")
    data = bytearray(path.read_bytes())
    at = data.index(picture_bytes(moving_picture(5), "png"))
    data[at + 40 : at + 400] = bytes(360)
    path.write_bytes(data)
    frames = list(decode_range(load_source(path), 0, 12))

    assert [frame.number for frame in frames if frame.held] == [5]
    assert np.array_equal(frames[5].image, moving_picture(4))


def test_pictures_of_several_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(6):
            archive.writestr(f"{number}.png", picture_bytes(moving_picture(0, 96 + number // 4 * 32), "png"))

    with pytest.raises(VideoError, match="96x64 to 128x64 at frame 4"):
        look(path)


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.png", bytes(50 << 20))


def _encrypted(path: Path) -> None:
    write_archive(path)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)


def _squeezed(path: Path) -> None:
    write_archive(path, method=zipfile.ZIP_LZMA)


def _mixed(path: Path) -> None:
    write_archive(path, frames=2)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("3.jpg", picture_bytes(moving_picture(2), "jpeg"))


def _truncated(path: Path) -> None:
    write_archive(path)
    path.write_bytes(path.read_bytes()[:5000])


def _no_pictures(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")


def _names_of_other_files(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../etc/passwd", "none")
        archive.writestr("/etc/passwd.m3u8", "#EXTM3U\n/etc/passwd")


REFUSED = {
    "a bomb": (_bomb, DamagedVideo, "claims 52428800 bytes"),
    "an encrypted one": (_encrypted, DamagedVideo, "encrypted"),
    "an unusual compression": (_squeezed, DamagedVideo, "Store or deflate"),
    "several kinds": (_mixed, DamagedVideo, "several kinds"),
    "a truncated one": (_truncated, DamagedVideo, "cannot be read"),
    "no pictures": (_no_pictures, NoVideoStream, "no pictures"),
    "names of other files": (_names_of_other_files, NoVideoStream, "no pictures"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_archives_that_are_no_video_are_refused(tmp_path: Path, name: str) -> None:
    make, kind, message = REFUSED[name]
    make(tmp_path / "upload")

    with pytest.raises(kind, match=message):
        look(tmp_path / "upload")


def test_a_webp_animation_is_a_video(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "upload", (40, 80, 40, 40, 120, 40))
    info, index = look(path), load_source(path).index

    assert (info.container, info.frames, info.duration_s, info.variable_frame_rate) == ("webp", 6, 0.36, True)
    assert [pts * index.time_base for pts in index.pts] == [
        Fraction(time, 1000) for time in (0, 40, 120, 160, 200, 320)
    ]
    assert not info.has_alpha
    assert_frames(path, 6, 98)


def test_a_transparent_webp_animation_is_known(tmp_path: Path) -> None:
    info = look(write_webp(tmp_path / "upload", (40, 40, 40), alpha=128))

    assert info.has_alpha


def test_a_webp_picture_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(picture_bytes(moving_picture(0), "webp"))

    with pytest.raises(NoVideoStream, match="not an animation"):
        look(tmp_path / "upload")


def test_a_damaged_animation_is_refused(tmp_path: Path) -> None:
    path = write_webp(tmp_path / "upload", (40, 40, 40))
    path.write_bytes(path.read_bytes()[:600])

    with pytest.raises(DamagedVideo):
        look(path)


def test_a_gif_with_a_frame_that_does_not_decode_goes_on(tmp_path: Path) -> None:
    clip = Clip(frames=8, codec="gif", pix_fmt="rgb8", encoder={})
    path = damage_frame(write_clip(tmp_path / "clip.gif", clip), 3, byte=0)

    assert load_source(path).index.frames <= 8
