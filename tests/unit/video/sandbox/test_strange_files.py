"""Files that name what is not known here, and files that make their reader fail in ways that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import pytest
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from service.encoding.choice import Asked
from service.errors.video import DamagedVideo, FrameSizeRejected
from service.types import Excerpt, VideoInfo
from service.video.sandbox.frame_times import FrameTimesLimits, frame_times
from service.video.sandbox.preview import PreviewLimits, Shot, preview
from service.video.sandbox.probe import ProbeLimits, probe
from service.video.sandbox.probe_protocol import ProbeRequest, limits_to_json, request_to_json
from tests.support.clips import Clip, write_clip

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)
NAMES = {
    "clip.mp4": ("libx264", b"avc1"),
    "clip.mov": ("libx264", b"avc1"),
    "clip.avi": ("mpeg4", b"FMP4"),
}


def unknown_codec(path: Path) -> Path:
    """A video whose container calls its codec something that does not exist."""
    codec, name = NAMES[path.name]
    whole = write_clip(path, Clip(codec=codec, encoder={})).read_bytes()
    assert name in whole
    path.write_bytes(whole.replace(name, b"Z" * len(name)))
    return path


def look(path: Path) -> VideoInfo:
    return asyncio.run(probe(path, LIMITS))


@pytest.mark.parametrize("name", NAMES)
def test_a_codec_that_is_not_known_is_refused_as_such(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedVideo, match="codec that cannot be decoded here"):
        look(unknown_codec(tmp_path / name))


def test_nor_does_it_have_times_or_pictures(tmp_path: Path) -> None:
    path = unknown_codec(tmp_path / "clip.mp4")

    with pytest.raises(DamagedVideo, match="codec"):
        asyncio.run(frame_times(path, None, FrameTimesLimits()))
    with pytest.raises(DamagedVideo, match="codec"):
        asyncio.run(preview([Shot(path, 0)], PreviewLimits()))


def test_a_failure_that_nobody_foresaw_refuses_the_file_and_is_logged(tmp_path: Path) -> None:
    script = (
        "import service.video.sandbox.probe_child as child\n"
        "def fail(*_): raise ZeroDivisionError('a rate of 1/0')\n"
        "child.inspect = fail\n"
        "child.main()"
    )
    request = request_to_json(ProbeRequest(write_clip(tmp_path / "clip.mp4"), None, Asked()))
    command = [sys.executable, "-c", script, limits_to_json(LIMITS)]
    child = subprocess.run(command, input=request, capture_output=True, text=True, check=True)

    assert json.loads(child.stdout)["code"] == DamagedVideo.code
    assert "ZeroDivisionError: a rate of 1/0" in child.stderr


def test_attached_pictures_are_not_decoded(tmp_path: Path) -> None:
    """Each is 70 KB of file and 75 MB of memory; a container may have hundreds."""
    bomb = with_attachments(write_clip(tmp_path / "clip.mkv"), [blank_png(3300, 2850)] * 12)
    script = (
        "import sys; from pathlib import Path; from service.video.container import open_video\n"
        "open_video(Path(sys.argv[1]))\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"  # getrusage counts the parent's
    )
    child = subprocess.run([sys.executable, "-c", script, bomb], capture_output=True, text=True, check=True)

    assert int(child.stdout) < 400 << 10  # KiB
    assert look(bomb).codec == "h264"


def beside_each_other(path: Path, sizes: list[int]) -> Path:
    """A file with square videos of these sizes, each of four black frames, which take some hundred bytes."""
    with av.open(str(path), "w") as container:
        packets = [packet for size in sizes for packet in _black(container, size)]
        for packet in packets:
            container.mux(packet)
    return path


def _black(container: OutputContainer, size: int) -> list[Packet[VideoStream]]:
    stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
    stream.width = stream.height = size
    frame = av.VideoFrame(size, size, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return [*(packet for _ in range(4) for packet in stream.encode(frame)), *stream.encode(None)]


@pytest.mark.parametrize("sizes", [[64] * 33, [64, 1024, 1024, 1024, 1024, 1024], [64, 4096]])
def test_many_videos_or_large_ones_beside_each_other_are_refused(tmp_path: Path, sizes: list[int]) -> None:
    """All of them are decoded a little by whoever opens the file."""
    with pytest.raises(FrameSizeRejected, match=f"{len(sizes)} videos beside each other"):
        look(beside_each_other(tmp_path / "clip.mkv", sizes))


def test_some_videos_beside_each_other_are_taken(tmp_path: Path) -> None:
    assert look(beside_each_other(tmp_path / "clip.mkv", [64] * 3 + [1024] * 3)).width == 64


def seen_by_a_worker(path: Path) -> list[int]:
    """Returns the width of the video as a worker sees it, and the KiB of memory that its process had at most."""
    script = (
        "import sys; from pathlib import Path\n"
        "from service.video.frame_limit import limit_frames; from service.video.source import load_source\n"
        "limit_frames(int(sys.argv[2]))\n"
        "print(load_source(Path(sys.argv[1])).picture.width)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"  # getrusage counts the parent's
    )
    command = [sys.executable, "-c", script, str(path), str(LIMITS.max_pixels)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(line) for line in child.stdout.split()]


def test_large_videos_beside_the_one_that_is_restored_are_not_decoded(tmp_path: Path) -> None:
    alone = beside_each_other(tmp_path / "alone.mkv", [64])
    beside = beside_each_other(tmp_path / "beside.mkv", [64, 4096, 4096, 4096])  # 25 MB a frame

    (width, usual), (same, peak) = seen_by_a_worker(alone), seen_by_a_worker(beside)

    assert width == same == 64
    assert peak - usual < 60 << 10  # KiB: 150 MB more where they are decoded


def test_a_worker_sees_the_video_that_was_looked_at(tmp_path: Path) -> None:
    """Frames that are too large come first, and those that the file seems to be made of."""
    path = tmp_path / "clip.ts"
    with path.open("wb") as file:
        for number, size in enumerate((2048, 64)):
            file.write(beside_each_other(tmp_path / f"{number}.ts", [size]).read_bytes())

    assert look(path).width == seen_by_a_worker(path)[0] == 64


def test_a_part_is_refused_where_frames_outside_of_it_are_too_large(tmp_path: Path) -> None:
    """The way to a part may lead through them, in a worker that planned for the part alone."""
    path = tmp_path / "clip.ts"
    with path.open("wb") as file:
        for number, size in enumerate((64, 2048, 64)):
            file.write(beside_each_other(tmp_path / f"{number}.ts", [size]).read_bytes())

    with pytest.raises(FrameSizeRejected, match="2048x2048, which is too large"):
        asyncio.run(probe(path, LIMITS, Excerpt(0, 0.1)))


@pytest.mark.parametrize(("codec", "pix_fmt"), [("mjpeg", "yuvj420p"), ("png", "rgb24")])
def test_videos_of_pictures_are_still_videos(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = write_clip(tmp_path / "clip.mov", Clip(codec=codec, pix_fmt=pix_fmt, encoder={}))

    assert (look(path).codec, look(path).width) == (codec, 96)


def blank_png(width: int, height: int) -> bytes:
    """The largest picture that its bytes can hold: 16 bits, four channels, all black."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer, row = zlib.compressobj(9), bytes(1 + 8 * width)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_attachments(path: Path, pictures: list[bytes]) -> Path:
    """Puts pictures into a Matroska file, before its first cluster."""

    def element(name: str, body: bytes) -> bytes:
        return bytes.fromhex(name) + (len(body) | 1 << 56).to_bytes(8, "big") + body

    segment, cluster = bytes.fromhex("18538067"), bytes.fromhex("1f43b675")
    whole = path.read_bytes()
    start, at = whole.index(segment), whole.index(cluster)
    begin = start + 4 + 9 - whole[start + 4].bit_length()
    files = b"".join(
        element(
            "61a7",
            element("466e", b"a.png")
            + element("4660", b"image/png")
            + element("46ae", bytes([number + 1]))
            + element("465c", picture),
        )
        for number, picture in enumerate(pictures)
    )
    unknown_size = segment + b"\x01" + b"\xff" * 7
    attached = element("1941a469", files)
    path.write_bytes(whole[:start] + unknown_size + whole[begin:at] + attached + whole[at:])
    return path
