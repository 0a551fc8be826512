"""Memory is known before it is taken: refused at submission, planned, and stepped down where it runs out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from service.errors.engine import OutOfMemory
from service.inference.onnx import OnnxEngine
from tests.support.clips import Clip, write_clip
from tests.support.greedy_model import write_greedy_model
from tests.support.stack import QUICK, Service, running_stack, write_models

GREEDY, HUGE, LIMITED = "greedy", "huge", "limited"
ROOM = 1 << 30
"""Bytes that a limited worker may take beside those that it has; ``LIMITED`` wants eight times as many."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("memory")
    models = write_models(root / "models")
    write_greedy_model(models, GREEDY)
    write_greedy_model(models, HUGE, frame=400_000)
    write_greedy_model(models, LIMITED, wanted=8 * ROOM)
    with running_stack(root, {"CDVD_MEMORY_LIMIT": str(1 << 30)}) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=9, width=96, height=64))


def test_a_runtime_without_memory_says_so(tmp_path: Path) -> None:
    engine = OnnxEngine(write_greedy_model(tmp_path, GREEDY), threads=1)
    window = np.full((6, 64, 96, 3), 9, np.uint8)

    with pytest.raises(OutOfMemory):
        engine.restore(window)
    assert (engine.restore(window[:5]) == 9).all()


def test_what_no_worker_has_the_memory_for_is_refused_with_the_figures(service: Service, clip: Path) -> None:
    answer = service.post(clip, model=HUGE)

    assert answer.status_code == 422
    assert answer.json()["code"] == "needs_more_memory"
    assert "96 x 64 pixels take at least 2.7 GiB" in answer.json()["detail"]
    assert "the smallest has 1.0 GiB" in answer.json()["detail"]
    assert not list(service.data.glob("jobs/*"))


def test_an_estimate_is_refused_as_the_job_would_be(service: Service) -> None:
    video = {"width": 96, "height": 64, "frames": 9}
    refused = service.http.post("/estimates", json={**video, "model": HUGE})
    taken = service.http.post("/estimates", json={**video, "model": GREEDY})

    assert (refused.status_code, refused.json()["code"]) == (422, "needs_more_memory")
    assert taken.status_code == 200
    assert 1 << 28 < taken.json()["memory_bytes"] < 1 << 30


def test_looks_are_part_of_what_a_job_needs(service: Service) -> None:
    video = {"width": 640, "height": 360, "frames": 9, "model": GREEDY}
    one, four = (
        service.http.post("/estimates", json={**video, "looks": looks}).json()["memory_bytes"]
        for looks in (1, 4)
    )

    assert four > one


def test_a_job_that_runs_out_of_memory_goes_on_in_smaller_parts(service: Service, clip: Path) -> None:
    job = service.submit(clip, model=GREEDY)
    service.until_status(job, "succeeded")

    report = json.loads(service.http.get(f"/jobs/{job}/report").text)
    plans = report["memory_plans"]
    assert plans[0]["window"] > 1
    assert plans[-1]["window"] == 1
    assert [plan["bytes"] for plan in plans] == sorted((plan["bytes"] for plan in plans), reverse=True)
    assert [segment["memory_plan"] for segment in report["segments"]] == [len(plans) - 1]
    assert report["frames_out"] == 9


def test_a_worker_that_the_system_refuses_memory_lives_and_goes_on(service: Service, clip: Path) -> None:
    worker = worker_of_this_process()
    with limited(worker.pid):
        job = service.submit(clip, model=LIMITED)
        service.until_status(job, "succeeded")

    report = service.http.get(f"/jobs/{job}/report").json()
    windows = [plan["window"] for plan in report["memory_plans"]]
    assert windows[0] > windows[-1] == 1
    assert [segment["memory_plan"] for segment in report["segments"]] == [len(windows) - 1]
    assert worker.is_running()
    assert worker_of_this_process() == worker


def test_the_network_runs_out_of_memory_in_its_midst_and_then_does_smaller_windows() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.little_memory"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["OutOfMemory", "1", "tiles"]


def test_a_model_that_does_not_state_its_memory_is_not_planned(service: Service, clip: Path) -> None:
    job = service.submit(clip, model=QUICK)
    service.until_status(job, "succeeded")

    assert service.http.get(f"/jobs/{job}/report").json()["memory_plans"] == []


def worker_of_this_process() -> psutil.Process:
    return next(one for one in psutil.Process().children() if "service.worker" in one.cmdline())


@contextmanager
def limited(pid: int) -> Iterator[None]:
    """Has the system refuse a process more than ROOM bytes beside those that it has."""
    status = Path(f"/proc/{pid}/status").read_text()
    data = int(status.split("VmData:")[1].split()[0]) << 10
    before = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (data + ROOM, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_DATA, before)
