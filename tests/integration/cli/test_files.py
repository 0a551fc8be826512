"""The ``cdvd`` command as people run it: a process, files, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from tests.support.animations import picture_bytes
from tests.support.clips import Clip, read_frames, read_packets, write_clip
from tests.support.command import complaint, one_line, run, started, stop
from tests.support.stack import (
    QUICK,
    SLOW,
    Service,
    held_engine,
    paced_stack,
    running_stack,
    until,
    write_models,
)

pytestmark = pytest.mark.integration


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


def test_deblur_runs_a_service_for_one_file_and_leaves_only_the_result(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, scratch: Path, models: Path
) -> None:
    source = write_clip(tmp_path / "in.mp4", Clip(audio="aac"))
    cache = tmp_path_factory.mktemp("cache")
    ran = run(
        *("deblur", source, "--models", models, "--model", QUICK), scratch=scratch, XDG_CACHE_HOME=str(cache)
    )
    output = tmp_path / "in_deblurred.mp4"
    measured = json.loads((cache / "cdvd" / "runtime.json").read_text())
    assert measured["engine"] in measured["frame_ms"]
    assert ran.returncode == 0, ran.stderr
    wrote, *told = ran.stdout.splitlines()
    assert str(output) in wrote
    assert told[-1] == "Lost: nothing."
    doings = [line.partition(":")[0] for line in ran.stderr.splitlines()]
    assert (doings[0], doings[-1]) == ("Starting", "Stopping the service")
    assert {"Sending", "Deblurring", "Fetching"} <= set(doings)
    assert [time for time, _ in read_frames(output)] == [time for time, _ in read_frames(source)]
    assert read_packets(output, "audio") == read_packets(source, "audio")
    assert sorted(tmp_path.iterdir()) == sorted([source, output, scratch])
    assert list(scratch.iterdir()) == []


def test_the_name_of_the_result_chooses_its_container(tmp_path: Path, scratch: Path, models: Path) -> None:
    source, output = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mkv"
    arguments = ("deblur", source, "-o", output, "--models", models, "--model", QUICK, "--codec", "ffv1")
    ran = run(*arguments, scratch=scratch)
    assert ran.returncode == 0, ran.stderr
    assert output.read_bytes()[:64].find(b"matroska") > 0
    assert [time for time, _ in read_frames(output)] == [time for time, _ in read_frames(source)]


def test_a_result_that_cannot_be_is_refused_before_a_service_starts(tmp_path: Path, scratch: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    ran = run("deblur", source, "-o", tmp_path / "out.webm", "--codec", "prores", scratch=scratch)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Starting" not in ran.stderr
    assert "ProRes" in ran.stderr
    assert sorted(tmp_path.iterdir()) == sorted([source, scratch])


def test_what_is_not_a_video_fails_with_one_line_and_no_output(
    tmp_path: Path, scratch: Path, models: Path
) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("This is not a video. " * 50)
    output = tmp_path / "out.mp4"
    ran = run("deblur", source, "-o", output, "--models", models, "--model", QUICK, scratch=scratch)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "container format" in complaint(ran)
    assert sorted(tmp_path.iterdir()) == [source, scratch]
    assert list(scratch.iterdir()) == []


def test_a_missing_model_fails_with_one_line(tmp_path: Path, scratch: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    ran = run("deblur", source, "--models", tmp_path, scratch=scratch)
    assert ran.returncode == 1
    assert "cdvd_lite" in complaint(ran)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_deblur_leaves_nothing_behind(
    tmp_path: Path, scratch: Path, models: Path, how: signal.Signals, code: int
) -> None:
    source, output = write_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    arguments = ("deblur", source, "-o", output, "--models", models, "--model", SLOW)
    with (
        held_engine() as engine,
        patch.dict(os.environ, engine.settings()),
        started(*arguments, scratch=scratch) as process,
    ):
        until(lambda: engine.pace.waiting, "a window at the engine")
        assert list(scratch.glob("cdvd-*/jobs/*"))
        assert stop(process, how) == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert sorted(tmp_path.iterdir()) == [source, scratch]
    assert list(scratch.iterdir()) == []


def test_interrupted_deblur_cancels_the_job_of_a_running_service(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    source, output = write_clip(videos / "interrupted.mp4"), videos / "out.mp4"
    with paced_stack(tmp_path) as service:
        with started("deblur", source, "-o", output, "--model", SLOW, "--url", service.url) as process:
            job_id = until(lambda: _running(service, source.name), "the job to run")
            assert stop(process, signal.SIGINT) == 130
        service.until_status(job_id, "canceled")
    assert list(videos.iterdir()) == [source]


def _running(service: Service, name: str) -> str | None:
    jobs = service.http.get("/jobs", params={"status": "running"}).json()["jobs"]
    return next((str(job["id"]) for job in jobs if job["input"]["filename"] == name), None)


def test_an_address_without_service_fails_with_one_line(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    ran = run("deblur", source, "--url", "http://127.0.0.1:9")
    assert ran.returncode == 4
    assert "http://127.0.0.1:9" in complaint(ran)


def test_a_directory_with_a_good_a_bad_and_a_done_video(tmp_path: Path, service: Service) -> None:
    root = tmp_path / "videos"
    (root / "deep").mkdir(parents=True)
    (root / "bad.mp4").write_text("no video")
    write_clip(root / "deep" / "good.mp4")
    write_clip(root / "done.mp4")
    (root / "done_deblurred.mp4").write_text("made before")
    ran = run("deblur", root, "--url", service.url)
    wrote, *told = ran.stdout.splitlines()
    assert told == ["Kept: frames, times, color.", "Lost: nothing."]
    assert wrote.startswith(f"Wrote {root / 'deep' / 'good_deblurred.mp4'}")
    assert "bad.mp4" in complaint(ran)
    assert "1 done, 1 skipped, 1 failed." in ran.stderr.splitlines()
    assert ran.returncode == 3
    assert (root / "done_deblurred.mp4").read_text() == "made before"

    again = run("deblur", root, "--url", service.url, "--force", "--json")
    *videos, counts = map(json.loads, again.stdout.splitlines())
    assert counts == {"done": 2, "skipped": 0, "failed": 1}
    told = {Path(each["source"]).name: each for each in videos}
    assert {name: each["status"] for name, each in told.items()} == {
        "bad.mp4": "failed",
        "good.mp4": "done",
        "done.mp4": "done",
    }
    assert told["bad.mp4"]["error"]["status"] == 415
    assert told["good.mp4"]["job"]["status"] == "succeeded"
    assert len(read_frames(root / "done_deblurred.mp4")) == Clip().frames


def test_what_is_done_starts_no_service(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4")
    (tmp_path / "in_deblurred.mp4").write_text("made before")
    ran = run("deblur", source, "--models", tmp_path / "absent")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "there already" in one_line(ran.stderr)


def test_up_tells_its_address_as_json(tmp_path: Path, models: Path) -> None:
    arguments = ("up", "--data", tmp_path / "data", "--port", "0", "--models", models, "--model", QUICK)
    with started(*arguments, "--json") as process:
        assert process.stdout is not None
        told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        assert (told["pid"], told["data"]) == (process.pid, str(tmp_path / "data"))
        assert [line.partition(": ")[0] for line in told["runs_on"]] == [f"{QUICK} runs on cpu in fp32"]
        assert httpx.get(f"{told['url']}/livez", trust_env=False).is_success
        assert stop(process, signal.SIGINT) == 0
        assert process.stdout.read() == ""


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
    assert str(service.data) in complaint(ran)


def required_missing(report: Sequence[dict[str, object]]) -> list[object]:
    return [finding["name"] for finding in report if finding["required"] and not finding["found"]]


def test_doctor_finds_what_this_installation_has(tmp_path: Path) -> None:
    ran = run("doctor", "--json", "--models", tmp_path)
    report = json.loads(ran.stdout)
    assert ran.returncode == 1
    assert report["ok"] is False
    assert required_missing(report["findings"]) == ["Model"]


def test_a_folder_of_pictures_becomes_a_video(tmp_path: Path, scratch: Path, service: Service) -> None:
    folder = tmp_path / "shot"
    folder.mkdir()
    for number in range(6):
        picture = picture_bytes(Clip().picture(number), "png")
        (folder / f"{number + 7}.png").write_bytes(picture)
    output = tmp_path / "out.mp4"
    done = run(
        "deblur", str(folder), "-o", str(output), "--fps", "12.5", "--url", service.url, scratch=scratch
    )

    assert done.returncode == 0, done.stderr
    assert [time for time, _ in read_frames(output)] == [Fraction(2 * number, 25) for number in range(6)]
    assert not list(scratch.iterdir())
