import pytest

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


def test_capacity_of_a_model_that_never_ran_is_unknown() -> None:
    assert capacity({}, [worker("a", "onnx")]) == 0


def test_an_estimate_without_the_waiting_time_is_none() -> None:
    assert Estimate(None, 3.0).seconds is None
    assert Estimate(2.0, 3.0).seconds == 5.0
