"""The ``cdvd`` command as people run it: a process, files, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.clips import Clip, read_frames, read_packets, write_clip
from tests.stack import QUICK, SLOW, Service, running_stack, until, write_models

pytestmark = pytest.mark.integration

PATIENCE_S = 90
LONG = Clip(frames=400)
"""Enough windows of the slow model to be interrupted in the middle."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("repository") / "models")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the command puts its temporary files."""
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A test run in a shell's background ignores Ctrl-C, and its children would inherit that."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "service.cli", *map(str, arguments)]


def run(*arguments: str | Path, scratch: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=_environment(scratch),
    )


@contextmanager
def started(*arguments: str | Path, scratch: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; it is killed if the test ends before it does."""
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(scratch),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _environment(scratch: Path | None) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)} if scratch else dict(os.environ)


def stop(process: subprocess.Popen[str], how: signal.Signals) -> int:
    """Send the signal; return the exit code once the whole process tree is gone."""
    tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    code = process.wait(PATIENCE_S)
    _, alive = psutil.wait_procs(tree, timeout=5)
    assert alive == []
    return code


def one_line(text: str) -> str:
    """The text, which is one line."""
    assert text.count("\n") == 1, text
    return text.strip()


def test_deblur_runs_a_service_for_one_file_and_leaves_only_the_result(
    tmp_path: Path, scratch: Path, models: Path
) -> None:
    source = write_clip(tmp_path / "in.mp4", Clip(audio="aac"))
    ran = run("deblur", source, "--models", models, "--model", QUICK, scratch=scratch)
    output = tmp_path / "in_deblurred.mp4"
    assert (ran.returncode, ran.stderr) == (0, "")
    assert str(output) in one_line(ran.stdout)
    assert [time for time, _ in read_frames(output)] == [time for time, _ in read_frames(source)]
    assert read_packets(output, "audio") == read_packets(source, "audio")
    assert sorted(tmp_path.iterdir()) == sorted([source, output, scratch])
    assert list(scratch.iterdir()) == []


def test_what_is_not_a_video_fails_with_one_line_and_no_output(
    tmp_path: Path, scratch: Path, models: Path
) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("This is not a video. " * 50)
    output = tmp_path / "out.mp4"
    ran = run("deblur", source, "-o", output, "--models", models, "--model", QUICK, scratch=scratch)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "container format" in one_line(ran.stderr)
    assert sorted(tmp_path.iterdir()) == [source, scratch]
    assert list(scratch.iterdir()) == []


def test_a_missing_model_fails_with_one_line(tmp_path: Path, scratch: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    ran = run("deblur", source, "--models", tmp_path, scratch=scratch)
    assert ran.returncode == 1
    assert "cdvd_lite" in one_line(ran.stderr)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_deblur_leaves_nothing_behind(
    tmp_path: Path, scratch: Path, models: Path, how: signal.Signals, code: int
) -> None:
    source, output = write_clip(tmp_path / "in.mp4", LONG), tmp_path / "out.mp4"
    arguments = ("deblur", source, "-o", output, "--models", models, "--model", SLOW)
    with started(*arguments, scratch=scratch) as process:
        until(lambda: list(scratch.glob("cdvd-*/jobs/*")), "a job on disk")
        assert stop(process, how) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert sorted(tmp_path.iterdir()) == [source, scratch]
    assert list(scratch.iterdir()) == []


def test_interrupted_deblur_cancels_the_job_of_a_running_service(tmp_path: Path, service: Service) -> None:
    source, output = write_clip(tmp_path / "in.mp4", LONG), tmp_path / "out.mp4"
    url = str(service.http.base_url)
    with started("deblur", source, "-o", output, "--model", SLOW, "--url", url) as process:
        job_id = until(lambda: _running(service), "the job to run")
        assert stop(process, signal.SIGINT) == 130
    service.until_status(job_id, "canceled")
    assert list(tmp_path.iterdir()) == [source]


def _running(service: Service) -> str | None:
    jobs = service.http.get("/jobs", params={"status": "running"}).json()["jobs"]
    return str(jobs[0]["id"]) if jobs else None


def test_an_address_without_service_fails_with_one_line(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    ran = run("deblur", source, "--url", "http://127.0.0.1:9")
    assert ran.returncode == 1
    assert "http://127.0.0.1:9" in one_line(ran.stderr)


def test_a_job_can_be_sent_listed_followed_and_fetched(tmp_path: Path, service: Service) -> None:
    url = str(service.http.base_url)
    source, output = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    job_id = one_line(run("submit", source, "--url", url).stdout)
    listed = run("list", "--url", url).stdout.splitlines()
    assert any(line.startswith(job_id) and "in.mp4" in line for line in listed)
    fetched = run("result", job_id, "-o", output, "--url", url)
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert len(read_frames(output)) == Clip().frames
    status = json.loads(run("status", job_id, "--json", "--url", url).stdout)
    assert (status["status"], status["output"]["bytes"]) == ("succeeded", output.stat().st_size)


def test_canceling_a_finished_job_fails_with_the_services_reason(tmp_path: Path, service: Service) -> None:
    url = str(service.http.base_url)
    job_id = service.submit(write_clip(tmp_path / "in.mp4"))
    service.until_status(job_id, "succeeded")
    ran = run("cancel", job_id, "--url", url)
    assert ran.returncode == 1
    assert "succeeded" in one_line(ran.stderr)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_page_and_api_until_stopped(tmp_path: Path, models: Path, how: signal.Signals) -> None:
    arguments = ("up", "--data", tmp_path / "data", "--port", "0", "--models", models, "--model", QUICK)
    with started(*arguments) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        page = httpx.get(url, trust_env=False)
        ready = httpx.get(f"{url}readyz", trust_env=False)
        assert (page.status_code, ready.status_code) == (200, 200)
        assert "<title>Video deblurring</title>" in page.text
        assert stop(process, how) == 0
        assert process.stdout.read().splitlines()[-1] == "Stopped."


def test_a_second_service_on_the_same_data_fails_with_one_line(service: Service, models: Path) -> None:
    ran = run("up", "--data", service.data, "--port", "0", "--models", models, "--model", QUICK)
    assert ran.returncode == 1
    assert str(service.data) in one_line(ran.stderr)


def required_missing(report: Sequence[dict[str, object]]) -> list[object]:
    return [finding["name"] for finding in report if finding["required"] and not finding["found"]]


def test_doctor_finds_what_this_installation_has(tmp_path: Path) -> None:
    ran = run("doctor", "--json", "--models", tmp_path)
    report = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert report["ok"] is False
    assert required_missing(report["findings"]) == ["Model"]
