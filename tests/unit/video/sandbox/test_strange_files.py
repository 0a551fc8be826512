"""Files that name what is not known here, and files that make their reader fail in ways that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from service.encoding.choice import Asked
from service.errors.video import DamagedVideo
from service.types import VideoInfo
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
