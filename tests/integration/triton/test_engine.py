"""The engine against real Triton servers that are killed, paused and restarted, and the model that we ship."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from service.config import default_models
from service.errors.engine import EngineUnavailable
from service.errors.job import JobCanceled
from service.inference.engine import Frames
from service.inference.onnx import OnnxEngine
from service.inference.triton import TritonEngine, TritonOptions
from service.metrics import WORKER
from tests.support.graphs import averaging_graph
from tests.support.graphs import write_model as write_graph
from tests.support.models import write_model
from tests.support.stack import until
from tests.support.triton_servers import RunningTriton, running_triton

pytestmark = pytest.mark.integration

KILLED_SCRIPT = """
import os, sys
import numpy as np
from service.inference.triton import TritonEngine, TritonOptions
engine = TritonEngine("average", TritonOptions([sys.argv[1]], owner="one"))
engine.restore(np.zeros((7, 64, 80, 3), np.uint8))
os._exit(9)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_graph(folder, averaging_graph(), "average")
    write_model(folder, "identity")
    return folder


@pytest.fixture(scope="module")
def one(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    with running_triton(models, tmp_path_factory.mktemp("one")) as server:
        yield server


@pytest.fixture(scope="module")
def two(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    with running_triton(models, tmp_path_factory.mktemp("two")) as server:
        yield server


def window(seed: int = 0, frames: int = 7) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (frames, 64, 80, 3), np.uint8)


def expected(models: Path, given: Frames) -> Frames:
    with closing(OnnxEngine(models / "average", threads=1)) as engine:
        return engine.restore(given)


def regions(server: RunningTriton) -> list[str]:
    """What the server shares memory with."""
    with InferenceServerClient(server.address) as client:
        return list(client.get_system_shared_memory_status().regions)


@pytest.mark.parametrize("share_memory", [True, False])
def test_the_shipped_model_gives_the_same_bytes_in_both_engines(tmp_path: Path, share_memory: bool) -> None:
    given = np.random.default_rng(2).integers(0, 256, (6, 72, 100, 3), np.uint8)
    with running_triton(default_models(), tmp_path) as server:
        options = TritonOptions([server.address], share_memory=share_memory)
        with (
            closing(TritonEngine("cdvd_lite", options)) as there,
            closing(OnnxEngine(default_models() / "cdvd_lite")) as here,
        ):
            np.testing.assert_array_equal(there.restore(given), here.restore(given))


def test_a_window_survives_the_restart_of_its_server(one: RunningTriton) -> None:
    given = window()
    options = TritonOptions([one.address], share_memory=False)  # a paused server registers memory too late
    with closing(TritonEngine("identity", options)) as engine, ThreadPoolExecutor(1) as pool:
        one.pause()  # so that it has the window when it dies
        answer = pool.submit(engine.restore, given)
        until(lambda: engine.in_flight, "the window is at the server")
        one.kill()
        one.start()
        np.testing.assert_array_equal(answer.result(), given[2:-2])


def test_a_restart_between_two_windows_is_not_noticed(one: RunningTriton, models: Path) -> None:
    with closing(TritonEngine("average", TritonOptions([one.address]))) as engine:
        engine.restore(window(1))
        one.stop()
        one.start()

        np.testing.assert_array_equal(engine.restore(window(2)), expected(models, window(2)))


def test_windows_go_on_with_the_other_server_and_come_back_to_the_first(
    one: RunningTriton, two: RunningTriton, models: Path
) -> None:
    both = tuple(sorted((one.address, two.address)))
    with closing(TritonEngine("average", TritonOptions(both))) as engine:
        until(lambda: engine.servers == both, "both servers are admitted")
        one.kill()
        for seed in range(6):
            np.testing.assert_array_equal(engine.restore(window(seed)), expected(models, window(seed)))
        assert engine.servers == (two.address,)

        one.start()
        until(lambda: engine.servers == both, "the first is admitted again")


def test_several_windows_are_at_the_servers_at_a_time(one: RunningTriton, two: RunningTriton) -> None:
    options = TritonOptions([one.address, two.address], share_memory=False)
    with closing(TritonEngine("identity", options)) as engine:
        until(lambda: len(engine.servers) == 2, "both servers are admitted")
        with ThreadPoolExecutor(4) as pool:
            with one.paused(), two.paused():
                answers = [pool.submit(engine.restore, window(seed)) for seed in range(4)]
                until(lambda: engine.in_flight == 4, "all four are under way")
            for seed, answer in enumerate(answers):
                np.testing.assert_array_equal(answer.result(), window(seed)[2:-2])


def test_a_server_whose_model_died_is_sick_although_it_says_that_it_is_ready(one: RunningTriton) -> None:
    options = TritonOptions([one.address], patience_s=0.5)
    with closing(TritonEngine("average", options)) as engine:
        one.kill_models()
        try:
            with pytest.raises(EngineUnavailable, match="not healthy"):
                engine.restore(window())
        finally:
            one.kill()
            one.start()


def test_a_server_that_does_not_answer_in_time_is_sick_until_it_does(
    one: RunningTriton, models: Path
) -> None:
    with closing(
        TritonEngine("average", TritonOptions([one.address], timeout_s=1.0, patience_s=0.5))
    ) as engine:
        with one.paused(), pytest.raises(EngineUnavailable, match="DEADLINE_EXCEEDED"):
            engine.restore(window())
        until(lambda: engine.servers, "it is admitted again")

        np.testing.assert_array_equal(engine.restore(window(3)), expected(models, window(3)))


def test_a_cancel_does_not_wait_for_a_server_that_hangs(one: RunningTriton) -> None:
    with closing(TritonEngine("average", TritonOptions([one.address]))) as engine, one.paused():
        wanted_no_more = Event()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(engine.restore, window(), wanted_no_more.is_set)
            until(lambda: engine.in_flight, "the window is at the server")
            wanted_no_more.set()
            with pytest.raises(JobCanceled):
                answer.result(timeout=5)


def test_closing_does_not_wait_for_a_server_that_hangs(one: RunningTriton) -> None:
    engine = TritonEngine("average", TritonOptions([one.address], share_memory=False))
    with one.paused(), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.restore, window())
        until(lambda: engine.in_flight, "the window is at the server")
        engine.close()
        with pytest.raises(EngineUnavailable):
            answer.result(timeout=5)


def test_memory_is_shared_with_a_server_here_and_nothing_stays_behind(one: RunningTriton) -> None:
    restored = {"server": one.address, "model": "average", "way": "memory", "outcome": "restored"}
    before = WORKER.get_sample_value("cdvd_triton_windows_total", restored) or 0
    with closing(TritonEngine("average", TritonOptions([one.address], owner="tidy"))) as engine:
        engine.restore(window())
        assert WORKER.get_sample_value("cdvd_triton_windows_total", restored) == before + 1
        assert [name for name in regions(one) if name.startswith("cdvd/tidy/")]
        assert not list(Path("/dev/shm").glob("cdvd-*"))

    assert not [name for name in regions(one) if name.startswith("cdvd/tidy/")]


def test_a_worker_removes_what_its_killed_predecessor_shared(one: RunningTriton) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED_SCRIPT, one.address], check=False)
    assert run.returncode == 9
    left = {name for name in regions(one) if name.startswith("cdvd/one/")}
    assert left

    with closing(TritonEngine("average", TritonOptions([one.address], owner="one"))):
        assert not left & set(regions(one))


def test_longer_windows_than_a_message_may_hold_are_cut(one: RunningTriton, models: Path) -> None:
    given = window(frames=12)
    options = TritonOptions([one.address], message_bytes=6 * given[0].nbytes)
    with closing(TritonEngine("average", options)) as engine:
        np.testing.assert_array_equal(engine.restore(given), expected(models, given))
