"""The examples for Python, for a shell and for FFmpeg, run as their users run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.integration.examples.conftest import EXAMPLES, FRAMES, Used
from tests.support.clips import Clip, psnr, read_frames, read_packets, write_clip
from tests.support.stack import SLOW

pytestmark = pytest.mark.integration

SCRIPTS = {
    "python": (sys.executable, "-W", "error", str(EXAMPLES / "python" / "deblur.py")),
    "curl": (str(EXAMPLES / "curl" / "deblur.sh"),),
}
EITHER = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


def run(used: Used, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=used.environment(**environment),
    )


@EITHER
def test_a_video_goes_and_a_result_comes(used: Used, clip: Path, tmp_path: Path, script: tuple[str]) -> None:
    out = tmp_path / "sharp one.mp4"
    done = run(used, *script, str(clip), str(out), "crf=20", "container=mp4")
    assert done.returncode == 0, done.stderr
    assert len(read_frames(out)) == FRAMES
    assert [path.name for path in tmp_path.iterdir()] == ["sharp one.mp4"]
    newest = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
    assert (newest["input"]["filename"], newest["options"]["crf"]) == ("shaky hand.mp4", 20)


@EITHER
def test_a_refusal_is_told_and_leaves_what_was_there(used: Used, tmp_path: Path, script: tuple[str]) -> None:
    text, out = tmp_path / "text.mp4", tmp_path / "out.mp4"
    text.write_text("no video " * 100)
    out.write_text("of before")
    done = run(used, *script, str(text), str(out))
    assert done.returncode == 1
    assert "no container format that is accepted" in done.stderr
    assert out.read_text() == "of before"
    assert len(list(tmp_path.iterdir())) == 2


@EITHER
@pytest.mark.parametrize(
    ("environment", "told"),
    [({"CDVD_KEY": "wrong"}, "cdvd keys create"), ({"CDVD_KEY": ""}, "cdvd keys create")],
    ids=["wrong key", "no key"],
)
def test_without_the_right_key_nothing_is_made(
    used: Used, clip: Path, tmp_path: Path, script: tuple[str], environment: dict[str, str], told: str
) -> None:
    done = run(used, *script, str(clip), str(tmp_path / "out.mp4"), **environment)
    assert done.returncode == 1
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []


@EITHER
def test_a_job_that_does_not_succeed_is_a_failure(
    used: Used, clip: Path, tmp_path: Path, script: tuple[str]
) -> None:
    used.service.pace.hold()
    odd = tmp_path / 'a "b" \\ c.mp4'
    odd.write_bytes(clip.read_bytes())
    command = [*script, str(odd), str(tmp_path / "out.mp4"), f"model={SLOW}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=used.environment()) as process:
        used.service.until_held()
        job = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
        assert used.service.http.post(f"/jobs/{job['id']}/cancel").status_code == 202
        _, told = process.communicate(timeout=120)
    used.service.pace.release()
    assert process.returncode == 1
    assert "canceled" in told
    assert list(tmp_path.iterdir()) == [odd]


@EITHER
def test_wrong_usage_is_told(used: Used, script: tuple[str]) -> None:
    done = run(used, *script, "one.mp4")
    assert done.returncode != 0
    assert "usage: " in done.stderr


def test_a_part_of_a_video_is_deblurred_and_put_back(used: Used, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "long.mp4", Clip(frames=40, audio="aac"))
    commands = tmp_path / "cdvd"
    commands.write_text(f'#!/bin/sh\nexec {sys.executable} -m service.cli "$@"\n')
    commands.chmod(0o755)
    out = tmp_path / "out.mp4"
    script = str(EXAMPLES / "ffmpeg" / "deblur_part.sh")
    named = {"FFMPEG": imageio_ffmpeg.get_ffmpeg_exe(), "CDVD": str(commands)}
    done = run(used, script, str(source), "0.4", "1.0", str(out), **named)
    assert done.returncode == 0, done.stderr
    sent = used.service.http.get("/jobs?limit=1").json()["jobs"][0]["input"]
    assert (sent["codec"], sent["frames"]) == ("ffv1", 15)
    before, after = read_frames(source), read_frames(out)
    assert [time for time, _ in after] == [time for time, _ in before]
    pictures = [
        [frame.to_ndarray(format="rgb24") for _, frame in frames] for frames in (before, after)
    ]  # the models of the tests return their frames unchanged
    assert min(psnr(one, two) for one, two in zip(*pictures, strict=True)) > 38
    sounds = [[data for _, data in read_packets(path, "audio")] for path in (source, out)]
    assert sounds[0] == sounds[1]
