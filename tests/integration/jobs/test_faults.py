"""Processes that die, hang or are stopped in the middle of a job, for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors.engine import ModelNotFound
from service.errors.startup import DataInUse, InsecureAddress, StackFailed
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, paced_stack, running_stack, until, write_models

pytestmark = pytest.mark.integration

SEGMENTS = 4
SETTINGS = {"CDVD_SEGMENT_FRAMES": "12"}

HOST_SCRIPT = """
import sys
from pathlib import Path
from service.embedded import EmbeddedOptions, EmbeddedStack
root = Path(sys.argv[1])
with EmbeddedStack(EmbeddedOptions(data=root / "data", models=root / "models", model="quick")) as stack:
    print(stack.url, flush=True)
    stack.wait()
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip(frames=12 * SEGMENTS))


def test_killed_worker_comes_back_and_finished_segments_stay_finished(tmp_path: Path, clip: Path) -> None:
    with paced_stack(tmp_path, SETTINGS) as service:
        job_id = service.submit_held(clip)
        service.pace.let(12)
        until_started(service, job_id, "segment:1")
        child("service.worker").kill()
        service.pace.release()

        service.until_status(job_id, "succeeded")

        started = steps(service, job_id, "step_started")
        assert started["segment:0"] == 1
        assert sum(started[f"segment:{index}"] for index in range(SEGMENTS)) == SEGMENTS + 1
        assert set(steps(service, job_id, "step_done").values()) == {1}


def test_job_survives_a_restart_of_the_whole_stack(tmp_path: Path, clip: Path) -> None:
    with paced_stack(tmp_path, SETTINGS) as service:
        job_id = service.submit_held(clip)
        service.let_frames(job_id, 12 + 1)

    with paced_stack(tmp_path, SETTINGS) as service:
        service.pace.release()
        service.until_status(job_id, "succeeded")
        assert steps(service, job_id, "step_started")["segment:0"] == 1


def test_job_survives_the_death_of_redis(tmp_path: Path, clip: Path) -> None:
    with paced_stack(tmp_path, SETTINGS) as service:
        job_id = service.submit_held(clip)
        service.let_frames(job_id, 1)
        child("redis").kill()
        service.pace.release()
        until(lambda: service.http.get("/readyz").is_success, "Redis is back")

        service.until_status(job_id, "succeeded")


def test_gateway_that_dies_comes_back_on_the_same_port(tmp_path: Path) -> None:
    with running_stack(tmp_path) as service:
        dead = child("service.api")
        dead.kill()
        dead.wait()

        assert service.http.get("/readyz").status_code == 200


def test_segment_that_hangs_every_time_fails_its_job_with_the_reason(tmp_path: Path, clip: Path) -> None:
    with paced_stack(tmp_path, {**SETTINGS, "CDVD_STALL_TIMEOUT_S": "0.5"}) as service:
        one_segment = write_clip(tmp_path / "short.mp4", Clip(frames=12))
        job_id = service.submit_held(one_segment)

        job = service.until_status(job_id, "failed")

        assert job["error"]["code"] == "segment_gave_up"
        assert "3 times" in job["error"]["detail"]
        service.until_status(service.submit(clip), "succeeded")


def test_cancel_stops_within_a_window(tmp_path: Path) -> None:
    with paced_stack(tmp_path) as service:
        job_id = service.submit_held(write_clip(tmp_path / "long.mp4", Clip(frames=36)))
        service.let_frames(job_id, 1)

        service.http.post(f"/jobs/{job_id}/cancel")
        at_cancel = service.job(job_id)["progress"]["frames_done"]
        quick = service.submit(write_clip(tmp_path / "short.mp4", Clip(frames=2)))
        service.until_status(quick, "succeeded")

        assert service.job(job_id)["status"] == "canceled"
        assert service.job(job_id)["progress"]["frames_done"] == at_cancel


def test_second_stack_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with running_stack(tmp_path):
        options = EmbeddedOptions(data=tmp_path / "data", models=tmp_path / "models", model=QUICK)
        with pytest.raises(DataInUse, match=f"process {os.getpid()}"), EmbeddedStack(options):
            pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_the_process_that_hosts_the_stack(tmp_path: Path, end: signal.Signals) -> None:
    write_models(tmp_path / "models")
    command = [sys.executable, "-c", HOST_SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as host:
        assert host.stdout
        assert host.stdout.readline().startswith("http://127.0.0.1:")
        family = psutil.Process(host.pid).children(recursive=True)
        host.send_signal(end)
        host.wait(timeout=120)

    gone, alive = psutil.wait_procs(family, timeout=60)
    assert len(gone) >= 3
    assert alive == []
    with running_stack(tmp_path):  # the data directory is free again
        pass


def test_stack_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = write_models(tmp_path / "models")
    (models / QUICK / "1" / "model.onnx").write_bytes(b"not a graph")
    options = EmbeddedOptions(data=tmp_path / "data", models=models, model=QUICK)
    monkeypatch.setattr("service.embedded.time", _ClockOfLogs(tmp_path / "data" / "logs"))
    # Other tests leave helpers, such as that of `multiprocessing`.
    before = psutil.Process().children(recursive=True)

    with pytest.raises(StackFailed, match=r"none has loaded a model yet(?s:.*)does not load"):
        EmbeddedStack(options).start()

    assert [one for one in psutil.Process().children(recursive=True) if one not in before] == []


@pytest.mark.parametrize(
    ("change", "error"),
    [({"model": "missing"}, ModelNotFound), ({"host": "0.0.0.0"}, InsecureAddress)],
)
def test_impossible_options_are_refused_before_anything_starts(
    tmp_path: Path, change: dict[str, str], error: type[Exception]
) -> None:
    known = {"data": tmp_path / "data", "models": write_models(tmp_path / "models"), "model": QUICK}
    options = EmbeddedOptions(**{**known, **change})

    with pytest.raises(error):
        EmbeddedStack(options).start()

    assert not (tmp_path / "data").exists()


class _ClockOfLogs:
    """Stands in for the module ``time``: the patience ends a moment after the gateway is up and the model refused."""

    def __init__(self, logs: Path) -> None:
        self._awaited = {logs / "gateway.log": "startup complete", logs / "worker.log": "does not load"}
        self._looks = 0

    def monotonic(self) -> float:
        """Seconds; far more once the logs have held what is awaited at several looks."""
        said = all(path.is_file() and text in path.read_text() for path, text in self._awaited.items())
        self._looks += said
        return 1e6 if self._looks > 10 else 0.0


def child(part_of_command: str) -> psutil.Process:
    """The one child of this process whose command line contains some words."""
    found = [one for one in psutil.Process().children() if part_of_command in " ".join(one.cmdline())]
    assert len(found) == 1
    return found[0]


def until_started(service: Service, job_id: str, step: str) -> None:
    """Follow the job's events until a step has begun; killing its worker then hits it in the middle."""
    with service.http.stream("GET", f"/jobs/{job_id}/events") as answer:
        for event, data in pairwise(answer.iter_lines()):
            if event == "event: step_started" and json.loads(data[6:])["step"] == step:
                return
    raise AssertionError(f"{step} never began")


def steps(service: Service, job_id: str, kind: str) -> Counter[str]:
    """How often each step was begun or finished, from the events of a job that is over."""
    lines = service.http.get(f"/jobs/{job_id}/events").text.splitlines()
    pairs = pairwise(lines)
    return Counter(json.loads(data[6:])["step"] for event, data in pairs if event == f"event: {kind}")
