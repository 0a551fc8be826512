"""The commands about jobs of a running service: what they print, as text and as JSON, and their exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, read_frames, write_clip
from tests.support.command import complaint, one_line, run
from tests.support.stack import QUICK, SLOW, PacedService, Service, paced_stack, until

pytestmark = pytest.mark.integration

LONG = Clip(frames=100)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def at(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the service by themselves."""
    monkeypatch.setenv("CDVD_URL", service.url)


def test_a_job_can_be_sent_listed_followed_and_fetched(tmp_path: Path, service: Service) -> None:
    url = str(service.http.base_url)
    source, output = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    job_id = one_line(run("submit", source, "--url", url).stdout)
    listed = run("list", "--url", url).stdout.splitlines()
    (line,) = (line for line in listed if line.startswith(job_id))
    made = service.job(job_id)["created_at"]
    assert "in.mp4" in line
    assert f"{datetime.fromisoformat(made).astimezone():%Y-%m-%d %H:%M}" in line
    fetched = run("result", job_id, "-o", output, "--url", url)
    assert fetched.returncode == 0, fetched.stderr
    assert len(read_frames(output)) == Clip().frames
    status = json.loads(run("status", job_id, "--json", "--url", url).stdout)
    assert (status["status"], status["output"]["bytes"]) == ("succeeded", output.stat().st_size)


def test_canceling_a_finished_job_fails_with_the_services_reason(tmp_path: Path, service: Service) -> None:
    url = str(service.http.base_url)
    job_id = service.submit(write_clip(tmp_path / "in.mp4"))
    service.until_status(job_id, "succeeded")
    ran = run("cancel", job_id, "--url", url)
    assert ran.returncode == 3
    assert "succeeded" in complaint(ran)


def asked(*arguments: str | Path) -> Any:
    """What a command that succeeds says as JSON."""
    ran = run(*arguments, "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


@pytest.mark.usefixtures("at")
def test_every_command_about_jobs_speaks_json(tmp_path: Path, service: PacedService) -> None:
    source, output = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    job_id = asked("submit", source, "--set", "crf=20")["id"]
    once = ("--idempotency-key", "once")
    assert asked("submit", source, *once)["id"] == asked("submit", source, *once)["id"] != job_id
    watched = run("watch", job_id, "--json")
    lines = [json.loads(line) for line in watched.stdout.splitlines()]
    assert (watched.returncode, lines[-1]["status"]) == (0, "succeeded")
    assert asked("status", job_id) == lines[-1]
    assert lines[-1]["options"]["crf"] == 20
    assert job_id in [job["id"] for job in asked("list", "--status", "succeeded")]
    fetched = asked("result", job_id, "-o", output)
    assert fetched == {"output": str(output), "job": lines[-1]}
    assert asked("report", job_id)["frames_out"] == Clip().frames
    assert asked("estimate", source)["basis"] == "measured"
    assert asked("estimate", "--size", "640x480", "--frames", "99")["frames"] == 99
    assert asked("delete", job_id) == {"deleted": job_id}

    long = write_clip(tmp_path / "long.mp4", LONG)
    service.pace.hold()
    job_id = asked("submit", long, "--model", SLOW)["id"]
    assert asked("cancel", job_id)["id"] == job_id
    assert run("watch", job_id).returncode == 1
    assert run("result", job_id, "-o", tmp_path / "none.mp4").returncode == 1
    assert asked("retry", job_id)["status"] in ("queued", "running")
    assert run("watch", job_id, "--timeout", "0").returncode == 5
    asked("delete", job_id)


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize("command", ["status", "watch", "cancel", "retry", "delete", "result", "report"])
def test_errors_are_json_too(command: str) -> None:
    ran = run(command, "0" * 32, "--json")
    assert ran.returncode == 3
    assert json.loads(ran.stdout)["error"]["code"] == "job_not_found"
    assert "job" in complaint(ran)


@pytest.mark.usefixtures("at")
def test_a_model_that_the_service_does_not_have_is_refused_before_the_video_is_sent(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    for command in ("submit", "deblur"):
        ran = run(command, source, "--model", "mine")
        assert ran.returncode == 2
        assert f"there are: {QUICK}, {SLOW}" in " ".join(ran.stderr.replace("│", "").split())
        assert "Sending" not in ran.stderr


@pytest.mark.usefixtures("at")
def test_a_submission_says_what_will_be_lost(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", Clip(pix_fmt="yuv444p"))
    ran = run("submit", source)

    assert len(one_line(ran.stdout)) == 32
    assert "Will be lost: Chroma is reduced from 4:4:4 to the 4:2:0 of H.264." in ran.stderr.splitlines()


@pytest.mark.usefixtures("at")
def test_reports_and_estimates_are_readable(tmp_path: Path, service: Service) -> None:
    source = write_clip(tmp_path / "in.mp4", Clip(audio="aac"))
    job_id = service.submit(source)
    service.until_status(job_id, "succeeded")
    report = run("report", job_id).stdout
    assert f"frames out: {Clip().frames}\n" in report
    assert "losses: nothing\n" in report
    assert "Time: 0:" in run("estimate", source).stdout
    assert run("estimate", __file__).returncode == 3


@pytest.mark.usefixtures("at")
def test_the_beginning_that_a_canceled_job_left_is_fetched_when_asked_for(
    tmp_path: Path, service: PacedService
) -> None:
    output = tmp_path / "beginning.mp4"
    job_id = service.submit_held(write_clip(tmp_path / "long.mp4", LONG))
    service.let_frames(job_id, 80)
    run("cancel", job_id)
    until(lambda: service.job(job_id)["output"], "the beginning")
    refused = run("result", job_id, "-o", output)
    assert (refused.returncode, output.exists()) == (1, False)
    assert "--partial" in complaint(refused)
    assert run("result", job_id, "-o", output, "--partial").returncode == 0
    assert 0 < len(read_frames(output)) < LONG.frames


@pytest.mark.usefixtures("at")
def test_a_shell_completes_the_ids_of_jobs(tmp_path: Path, service: Service) -> None:
    job_id = service.submit(write_clip(tmp_path / "in.mp4"))
    service.until_status(job_id, "succeeded")
    asked = {"_CDVD_COMPLETE": "complete_bash", "COMP_WORDS": f"cdvd status {job_id[:20]}", "COMP_CWORD": "2"}
    assert job_id in run(**asked).stdout.split()
