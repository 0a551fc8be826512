"""The runtimes in our own process: the same graphs are taken, the same refused, in the same words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service.errors.engine import EngineError, EngineUnavailable, InferenceFailed, ModelNotFound
from service.errors.job import JobCanceled
from service.inference.local import LocalEngine
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from tests.support.fake_engines import AveragingEngine
from tests.support.graphs import averaging_graph, float_graph, identity_graph, outer_graph, write_model

WINDOW = np.random.default_rng(1).integers(0, 256, (7, 64, 80, 3), np.uint8)

Open = Callable[[Path], LocalEngine]


@pytest.fixture(params=[OnnxEngine, OpenVinoEngine])
def load(request: pytest.FixtureRequest) -> Open:
    return lambda directory: request.param(directory, threads=1)


def test_a_missing_model_is_named(load: Open, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="'nowhere'"):
        load(tmp_path / "nowhere")


def test_a_file_that_is_no_graph_is_refused(load: Open, tmp_path: Path) -> None:
    directory = write_model(tmp_path, identity_graph())
    (directory / "1" / "model.onnx").write_bytes(b"no graph")

    with pytest.raises(EngineError, match="'tiny' does not load"):
        load(directory)


def test_another_type_is_refused_when_the_model_loads(load: Open, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"input.*frames.*uint8.*found.*f"):
        load(write_model(tmp_path, float_graph()))


def test_another_name_is_refused_when_the_model_loads(load: Open, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"output.*restored.*found.*sharp"):
        load(write_model(tmp_path, identity_graph("sharp")))


def test_a_graph_that_returns_another_number_of_frames_is_noticed(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, outer_graph()))

    with pytest.raises(InferenceFailed, match=r"\[7, 64, 80, 3\] where uint8 \[3, 64, 80, 3\]"):
        engine.restore(WINDOW)


def test_frames_arrive_in_order_and_unchanged(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, identity_graph()))

    np.testing.assert_array_equal(engine.restore(WINDOW), WINDOW[2:-2])


def test_a_result_is_not_overwritten_by_the_next(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, identity_graph()))
    first = engine.restore(WINDOW)
    engine.restore(255 - WINDOW)

    np.testing.assert_array_equal(first, WINDOW[2:-2])


def test_windows_may_change_their_size(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, averaging_graph()))
    windows = [WINDOW, WINDOW[:5], WINDOW[:, :, :64], WINDOW[:6, :63], WINDOW]

    for window in windows:
        np.testing.assert_array_equal(engine.restore(window), AveragingEngine().restore(window))


def test_the_graphs_arithmetic_is_the_fakes(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, averaging_graph()))

    np.testing.assert_array_equal(engine.restore(WINDOW), AveragingEngine().restore(WINDOW))


def test_a_window_that_is_not_wanted_any_more_is_not_restored(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, identity_graph()))

    with pytest.raises(JobCanceled):
        engine.restore(WINDOW, lambda: True)


def test_a_closed_engine_says_so(load: Open, tmp_path: Path) -> None:
    engine = load(write_model(tmp_path, identity_graph()))
    engine.close()

    with pytest.raises(EngineUnavailable, match="closed"):
        engine.restore(WINDOW)
