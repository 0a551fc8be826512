from pathlib import Path

import numpy as np
import pytest

from service.errors import EngineError, EngineUnavailable, InferenceFailed, ModelNotFound
from service.inference.onnx import OnnxEngine
from tests.fakes import AveragingEngine
from tests.graphs import averaging_graph, float_graph, identity_graph, outer_graph, write_model

WINDOW = np.random.default_rng(1).integers(0, 256, (7, 64, 80, 3), np.uint8)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="'nowhere'"):
        OnnxEngine(tmp_path / "nowhere")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    directory = write_model(tmp_path, identity_graph())
    (directory / "1" / "model.onnx").write_bytes(b"no graph")

    with pytest.raises(EngineError, match="'tiny' does not load"):
        OnnxEngine(directory)


def test_another_type_is_refused_when_the_model_loads(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"input.*frames.*uint8.*found.*float"):
        OnnxEngine(write_model(tmp_path, float_graph()))


def test_another_name_is_refused_when_the_model_loads(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"output.*restored.*found.*sharp"):
        OnnxEngine(write_model(tmp_path, identity_graph("sharp")))


def test_a_graph_that_returns_another_number_of_frames_is_noticed(tmp_path: Path) -> None:
    engine = OnnxEngine(write_model(tmp_path, outer_graph()), threads=1)

    with pytest.raises(InferenceFailed, match=r"\[7, 64, 80, 3\] where uint8 \[3, 64, 80, 3\]"):
        engine.restore(WINDOW)


def test_frames_arrive_in_order_and_unchanged(tmp_path: Path) -> None:
    engine = OnnxEngine(write_model(tmp_path, identity_graph()), threads=1)

    np.testing.assert_array_equal(engine.restore(WINDOW), WINDOW[2:-2])


def test_the_graphs_arithmetic_is_the_fakes(tmp_path: Path) -> None:
    engine = OnnxEngine(write_model(tmp_path, averaging_graph()), threads=1)

    np.testing.assert_array_equal(engine.restore(WINDOW), AveragingEngine().restore(WINDOW))


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    engine = OnnxEngine(write_model(tmp_path, identity_graph()), threads=1)
    engine.close()

    with pytest.raises(EngineUnavailable, match="closed"):
        engine.restore(WINDOW)
