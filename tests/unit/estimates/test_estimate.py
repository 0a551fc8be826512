import pytest

from service.devices.placement import Placement
from service.estimates.estimate import Estimate, capacity
from service.jobs.workers import WorkerState


def worker(name: str, engine: str, slots: int = 1) -> WorkerState:
    return WorkerState(name, engine, ("lite",), ("lite",), 0, slots)


@pytest.mark.parametrize(
    ("alive", "segments", "expected"),
    [
        ([], None, 5.0),
        ([worker("a", "onnx")], None, 2.0),
        ([worker("a", "onnx", slots=3)], None, 6.0),
        ([worker("a", "onnx", slots=3)], 2, 4.0),
        ([worker("a", "onnx"), worker("b", "triton")], 1, 5.0),
        ([worker("a", "onnx"), worker("b", "openvino")], None, 2.0),
    ],
)
def test_capacity_is_that_of_measured_workers_and_no_more_than_segments_use(
    alive: list[WorkerState], segments: int | None, expected: float
) -> None:
    assert capacity({"onnx": 2.0, "triton": 5.0}, alive, segments) == expected


def on_device(name: str, device: str) -> WorkerState:
    return WorkerState(name, "onnx", ("lite",), ("lite",), 0, 1, (Placement("lite", device, "fp16", "best"),))


def test_devices_are_measured_apart() -> None:
    rates = {"onnx": 2.0, "onnx@cuda": 70.0, "onnx@cuda:1": 50.0}
    alive = [on_device("a", "cuda"), on_device("b", "cuda:1"), on_device("c", "cpu"), worker("d", "onnx")]
    assert capacity(rates, alive, model="lite") == 70 + 50 + 2 + 2
    assert capacity(rates, alive[1:], segments=1, model="lite") == 50
    assert capacity(rates, alive[:1], model="not loaded yet") == 70


def test_servers_and_accelerators_are_faster_than_processors() -> None:
    assert [on_device("a", device).is_accelerated("lite") for device in ("cuda", "cpu")] == [True, False]
    assert worker("a", "triton").is_accelerated("lite")
    assert not worker("a", "onnx").is_accelerated("lite")


def test_capacity_of_a_model_that_never_ran_is_unknown() -> None:
    assert capacity({}, [worker("a", "onnx")]) == 0


def test_an_estimate_without_the_waiting_time_is_none() -> None:
    assert Estimate(None, 3.0).seconds is None
    assert Estimate(2.0, 3.0).seconds == 5.0
