"""The whole service with a real Triton: a job whose server dies finishes, with the same bytes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from service.inference.triton import TritonEngine, TritonOptions
from tests.integration.jobs.test_faults import until_started
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack, until, write_models
from tests.support.triton_servers import RunningTriton, require_triton

pytestmark = pytest.mark.integration

SEGMENTS = 3
SEGMENT = {"CDVD_SEGMENT_FRAMES": "12"}
SETTINGS = {**SEGMENT, "CDVD_ENGINE": "triton"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=12 * SEGMENTS))


@pytest.fixture(scope="module")
def undisturbed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The result of the same job in a service without Triton."""
    with running_stack(tmp_path_factory.mktemp("undisturbed"), SEGMENT) as service:
        return result(service, service.submit(clip))


def test_a_job_outlives_its_triton(tmp_path: Path, clip: Path, undisturbed: bytes) -> None:
    require_triton()
    with running_stack(tmp_path, SETTINGS) as service:
        triton().suspend()  # so that it has work when it dies, on whatever machine
        job_id = service.submit(clip)
        until_started(service, job_id, "segment:0")
        triton().kill()

        assert result(service, job_id) == undisturbed


def test_a_job_outlives_the_processes_that_run_its_model(
    tmp_path: Path, clip: Path, undisturbed: bytes
) -> None:
    require_triton()
    with running_stack(tmp_path, SETTINGS) as service:
        models = triton().children()
        for model in models:
            model.suspend()
        job_id = service.submit(clip)
        until_started(service, job_id, "segment:0")
        for model in models:
            model.kill()

        assert result(service, job_id) == undisturbed


def test_a_worker_takes_work_when_a_triton_that_was_named_is_there_at_last(
    tmp_path: Path, clip: Path
) -> None:
    require_triton()
    server = RunningTriton(write_models(tmp_path / "models"), tmp_path)

    def start_late() -> None:
        log = tmp_path / "data" / "logs" / "worker.log"
        until(lambda: log.is_file() and "is tried again" in log.read_text(), "the worker missed Triton")
        server.start()

    # One thread for all of the server's life: to the kernel, the thread that starts a process is its parent.
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(start_late)
        with running_stack(tmp_path, {**SETTINGS, "CDVD_TRITON_URLS": server.address}) as service:
            started.result()
            service.until_status(service.submit(clip), "succeeded")
        pool.submit(server.stop).result()


def test_triton_leaves_nothing_when_the_service_stops(tmp_path: Path, clip: Path) -> None:
    require_triton()
    with running_stack(tmp_path, SETTINGS) as service:
        service.until_status(service.submit(clip, model=QUICK), "succeeded")
        family = [triton(), *triton().children()]
        name = next(part for part in triton().cmdline() if part.startswith("--id=")).removeprefix("--id=")
        assert list(Path("/dev/shm").glob(f"{name}*"))

    assert not any(process.is_running() for process in family)
    assert not list(Path("/dev/shm").glob(f"{name}*"))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_command_runs_a_server_until_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    require_triton()
    write_models(tmp_path / "models")
    ports = [f"--{name}-port=0" for name in ("grpc", "http", "metrics")]
    command = [sys.executable, "-m", "service.cli", "triton", "--models", str(tmp_path / "models"), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout
        said = next(line for line in host.stdout if "CDVD_TRITON_URLS" in line)
        address = re.search(r"CDVD_TRITON_URLS=(\S+:\d+)", said)
        assert address
        TritonEngine(QUICK, TritonOptions([address[1]])).close()
        family = psutil.Process(host.pid).children(recursive=True)
        host.send_signal(end)
        host.wait(timeout=120)

    _gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def triton() -> psutil.Process:
    (found,) = (one for one in psutil.Process().children() if "tritonserver" in one.exe())
    return found


def result(service: Service, job_id: str) -> bytes:
    service.until_status(job_id, "succeeded")
    return service.http.get(f"/jobs/{job_id}/result").content
