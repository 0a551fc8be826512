"""What workers say of the devices that they use, and what they do without the one that they were told to use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from service.devices.placement import Placement
from service.errors.engine import DeviceUnavailable
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry, WorkerState
from service.window_limits import WindowLimits
from tests.integration.jobs.planned import TTL_S
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, running_stack, write_models

pytestmark = pytest.mark.integration

ABSENT = "directml"
"""A device that no test machine has."""


def test_a_device_that_is_not_here_gives_way_where_that_is_allowed_and_everybody_is_told(
    tmp_path: Path,
) -> None:
    with running_stack(tmp_path, {"CDVD_DEVICE": f"{ABSENT},cpu"}) as service:
        clip = write_clip(tmp_path / "a.mp4", Clip(frames=6))
        job_id = service.submit(clip)
        service.until_status(job_id, "succeeded")
        report = service.http.get(f"/jobs/{job_id}/report").json()
        (model, *_) = service.http.get("/models").json()["models"]
        (worker,) = service.http.get("/readyz").json()["workers"]
        log = (service.data / "logs" / "worker.log").read_text()

    (line,) = report["ran_on"]
    assert line.startswith(f"{QUICK} runs on cpu in fp32: ")
    assert f"The device {ABSENT} cannot be used: ONNX Runtime" in line
    assert {segment["device"] for segment in report["segments"]} == {"cpu"}
    assert model["runs_on"] == [line]
    assert [(one["device"], one["line"]) for one in worker["placements"]] == [("cpu", line)]
    assert worker["fault"] == ""
    assert line in log


def test_a_service_does_not_start_without_the_device_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match=ABSENT), running_stack(tmp_path, {"CDVD_DEVICE": ABSENT}):
        pass
    assert not (tmp_path / "data").exists()


def test_a_worker_without_its_device_ends_and_readiness_knows_why(
    tmp_path: Path, url: str, client: redis.Redis
) -> None:
    settings = {
        "CDVD_MODELS": write_models(tmp_path / "models"),
        "CDVD_MODEL": QUICK,
        "CDVD_REDIS_URL": url,
        "CDVD_DATA": tmp_path / "data",
        "CDVD_WORKER_NAME": "one",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "service.worker", "--device", ABSENT],
        env={**os.environ, **{name: str(value) for name, value in settings.items()}},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    reason = f"The device {ABSENT} cannot be used"

    assert ended.returncode == os.EX_CONFIG
    assert reason in ended.stdout + ended.stderr
    (state,) = WorkerRegistry(client).alive()
    assert state.ready == ()
    assert state.fault.startswith(reason)


def test_a_worker_says_where_its_models_run(client: redis.Redis) -> None:
    registry = WorkerRegistry(client)
    state = WorkerState(
        "one", "onnx", ("lite",), ("lite",), 1, 1, (Placement("lite", "cuda", "fp16", "best"),)
    )
    registry.beat(state, TTL_S)
    assert registry.alive() == (state,)


def test_heartbeats_of_older_and_newer_workers_are_understood(client: redis.Redis) -> None:
    older = '{"name": "one", "engine": "onnx", "ready": [], "models": [], "running": 0}'
    for text in (older, older.replace("}", ', "slots": 1, "from_the_future": 7}')):
        client.set("cdvd:worker:one", text)
        client.zadd("cdvd:workers", {"one": 1})
        assert WorkerRegistry(client).alive() == (WorkerState("one", "onnx", (), (), 0),)


@pytest.mark.parametrize(
    ("engine", "device", "counts"),
    [
        ("onnx", "cpu", False),
        ("onnx", "cuda:1", True),
        ("openvino", "cpu", False),
        ("triton", "triton", True),
    ],
)
def test_what_an_accelerator_was_measured_at_decides_on_the_usual_quality(
    client: redis.Redis, store: RedisJobStore, engine: str, device: str, counts: bool
) -> None:
    registry, throughput = WorkerRegistry(client), Throughput(client)
    placement = Placement("lite", device, "fp16", "best")
    state = WorkerState("one", engine, ("lite",), ("lite",), 0, 1, (placement,))
    registry.beat(state, TTL_S)
    estimator = Estimator(throughput, store, registry, WindowLimits(64, 12, 4_000_000, None), Turns(client))
    assert estimator.server_rate("lite") == 0

    throughput.learn_rate("lite", state.runtime("lite"), pixels=1000, seconds=2.0)
    throughput.learn_rate("lite", "onnx@another", pixels=9000, seconds=2.0)

    assert estimator.server_rate("lite") == (500 if counts else 0)
