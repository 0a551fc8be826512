"""Ctrl-C, a kill, and the same command again: real signals to real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.support.clips import Clip, read_frames, write_clip
from tests.support.command import PATIENCE_S, complaint, one_line, run, started, stop
from tests.support.cutting_proxy import CuttingProxy, cutting
from tests.support.stack import (
    QUICK,
    SLOW,
    PacedService,
    Service,
    held_engine,
    paced_stack,
    until,
    write_models,
)

pytestmark = pytest.mark.integration

MIB = 1 << 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def proxy(service: Service) -> Iterator[CuttingProxy]:
    url = service.http.base_url
    with cutting(url.host, url.port or 80) as running:
        yield running


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _released(service: PacedService) -> Iterator[None]:
    """Lets windows pass that a test held, however it ended."""
    yield
    service.pace.release()


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def large_clip(path: Path) -> Path:
    """A clip so large that it is sent by a resumable upload."""
    write_clip(path)
    with path.open("ab") as file:  # players pass over what follows the last box
        size = 20 * MIB
        file.write(size.to_bytes(4, "big") + b"free" + os.urandom(size - 8))
    return path


def jobs_of(service: Service, name: str) -> list[dict[str, Any]]:
    jobs = service.http.get("/jobs", params={"limit": 100}).json()["jobs"]
    return [job for job in jobs if job["input"]["filename"] == name]


def until_restored(process: subprocess.Popen[str]) -> None:
    """Wait until the command says that its job is in work: before, it may not have been told of the job yet."""
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("Deblurring" in line for line in lines)


def interrupt(process: subprocess.Popen[str]) -> str:
    """Presses Ctrl-C; returns what was said, once all of the command has gone."""
    began = time.monotonic()
    assert stop(process, signal.SIGINT) == 130
    print(f"gone after {time.monotonic() - began:.2f} s")  # noqa: T201  # shown with -s
    assert process.stderr is not None
    said = process.stderr.read()
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_upload_goes_on_in_the_next_call(
    videos: Path, service: PacedService, proxy: CuttingProxy, how: signal.Signals
) -> None:
    source = large_clip(videos / f"large{how}.mp4")
    proxy.hold_up[:] = [12 * MIB]
    with started("submit", source, "--url", proxy.url) as process:
        assert proxy.held.wait(PATIENCE_S)
        if how is signal.SIGINT:
            assert "the same command goes on" in interrupt(process)
        else:
            process.kill()
            process.wait(PATIENCE_S)
    proxy.release()
    before = proxy.bytes_up
    job_id = one_line(run("submit", source, "--url", proxy.url).stdout)
    assert proxy.bytes_up - before < 12 * MIB
    assert [job["id"] for job in jobs_of(service, source.name)] == [job_id]
    assert service.until_status(job_id, "succeeded")["input"]["bytes"] == source.stat().st_size
    assert one_line(run("submit", source, "--url", proxy.url).stdout) != job_id  # that one has ended


def test_a_batch_that_was_killed_picks_up_its_job(videos: Path, service: PacedService) -> None:
    source = write_clip(videos / "killed.mp4", Clip(frames=24))
    (videos / "bad.mp4").write_text("no video")
    command = ("deblur", videos, "--model", SLOW, "--url", service.url)
    service.pace.hold()
    with started(*command) as process:
        until_restored(process)
        process.kill()
    service.pace.release()
    again = run(*command)
    (job,) = jobs_of(service, source.name)
    assert f"goes on with job {job['id']}" in again.stderr
    assert again.returncode == 3
    assert "bad.mp4" in complaint(again)
    assert len(read_frames(videos / "killed_deblurred.mp4")) == 24
    third = run(*command)
    assert "1 skipped, 1 failed" in third.stderr
    assert len(jobs_of(service, source.name)) == 1


def test_ctrl_c_cancels_the_job_and_the_same_command_tries_it_again(
    videos: Path, service: PacedService
) -> None:
    source, output = write_clip(videos / "canceled.mp4", Clip(frames=24)), videos / "out.mp4"
    command = ("deblur", source, "-o", output, "--model", SLOW, "--url", service.url)
    service.pace.hold()
    with started(*command) as process:
        until_restored(process)
        assert "Interrupted. The same command goes on." in interrupt(process)
    assert [job["status"] for job in jobs_of(service, source.name)] == ["canceled"]
    assert list(videos.iterdir()) == [source]
    service.pace.release()
    assert run(*command).returncode == 0
    assert [job["status"] for job in jobs_of(service, source.name)] == ["succeeded"]
    assert "there already" in one_line(run(*command).stderr)
    other = run(*command, "--end", "0.2")
    assert other.returncode == 2
    assert "end unset, now 0.2" in " ".join(other.stderr.replace("│", "").split())


def test_ctrl_c_while_a_result_arrives_leaves_no_half_file(
    videos: Path, service: PacedService, proxy: CuttingProxy
) -> None:
    source, output = write_clip(videos / "arriving.mp4"), videos / "out.mp4"
    job_id = service.submit(source)
    size = service.until_status(job_id, "succeeded")["output"]["bytes"]
    command = ("result", job_id, "-o", output, "--url", proxy.url)
    proxy.hold_down[:] = [size // 2]
    with started(*command) as process:
        assert proxy.held.wait(PATIENCE_S)
        assert "the same command goes on" in interrupt(process)
    assert not output.exists()
    proxy.release()
    assert run(*command).returncode == 0
    assert sorted(videos.iterdir()) == [source, output]


def test_the_second_ctrl_c_ends_at_once(videos: Path, service: PacedService, proxy: CuttingProxy) -> None:
    """The first one waits for the answer to the cancelation, which does not come."""
    source = write_clip(videos / "twice.mp4", Clip(frames=24))
    service.pace.hold()
    with started("deblur", source, "--model", SLOW, "--url", proxy.url) as process:
        until_restored(process)
        proxy.hold_up[:] = [1] * 9
        process.send_signal(signal.SIGINT)
        assert proxy.held.wait(PATIENCE_S)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        print(f"gone after {time.monotonic() - began:.2f} s")  # noqa: T201  # shown with -s


def test_a_folder_is_watched_until_ctrl_c(videos: Path, service: PacedService) -> None:
    results = videos / "sharp"
    command = ("deblur", videos, "--watch", "-o", results, "--json", "--url", service.url)
    (videos / "deep").mkdir()
    (videos / "bad.mp4").write_text("no video")
    with started(*command) as process:
        assert process.stdout is not None
        bad = json.loads(process.stdout.readline())
        assert (Path(bad["source"]).name, bad["status"]) == ("bad.mp4", "failed")
        write_clip(videos / "deep" / "good.mp4")
        good = json.loads(process.stdout.readline())
        assert (good["output"], good["status"]) == (str(results / "deep" / "good_deblurred.mp4"), "done")
        write_clip(videos / "bad.mp4")
        assert json.loads(process.stdout.readline())["status"] == "done"
        assert "2 done, 0 skipped, 0 failed." in interrupt(process)
        assert process.stdout.read() == ""
    found = sorted(str(path.relative_to(results)) for path in results.rglob("*.mp4"))
    assert found == ["bad_deblurred.mp4", "deep/good_deblurred.mp4"]


def test_a_watched_folder_of_this_machine_ends_in_the_middle_of_a_window(
    videos: Path, tmp_path: Path
) -> None:
    models, scratch = write_models(tmp_path / "models"), tmp_path / "scratch"
    scratch.mkdir()
    source = write_clip(videos / "in.mp4")
    arguments = ("deblur", videos, "--watch", "--models", models, "--model", SLOW)
    with (
        held_engine() as engine,
        patch.dict(os.environ, engine.settings()),
        started(*arguments, scratch=scratch) as process,
    ):
        engine.pace.hold()
        until(lambda: engine.pace.waiting, "a window at the engine")
        interrupt(process)
    assert list(videos.iterdir()) == [source]
    assert list(scratch.iterdir()) == []


def test_a_list_of_jobs_is_restored_and_sent(videos: Path, service: PacedService) -> None:
    write_clip(videos / "a.mp4")
    write_clip(videos / "b.mp4")
    file = videos / "jobs.jsonl"
    lines = [{"input": "a.mp4", "output": "first.mkv", "crf": 20}, {"input": "b.mp4", "start": 0.1}]
    file.write_text("\n".join(map(json.dumps, lines)))
    ran = run("deblur", "--jobs-file", file, "--model", QUICK, "--json", "--url", service.url)
    assert ran.returncode == 0, ran.stderr
    first, second, counts = map(json.loads, ran.stdout.splitlines())
    assert (first["output"], first["job"]["options"]["crf"]) == (str(videos / "first.mkv"), 20)
    assert (second["output"], second["job"]["options"]["start"]) == (str(videos / "b_deblurred.mp4"), 0.1)
    assert counts == {"done": 2, "skipped": 0, "failed": 0}
    sent = subprocess.run(
        [*ran.args[:3], "submit", "--jobs-file", "-", "--url", service.url],
        cwd=videos,
        input='{"input": "a.mp4"}\n\n{"input": "b.mp4"}\n',
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert len(set(sent.stdout.splitlines())) == 2
