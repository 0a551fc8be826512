"""Graphs for one size: no shape arithmetic is left, and the same frames come out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from service.config import default_models
from service.inference.devices.device_engine import DeviceEngine, lengthened, read_graph
from service.inference.devices.fixed_session import FixedSession, SessionSettings
from service.inference.devices.offers import processor
from service.inference.engine import Frames
from service.inference.onnx import OnnxEngine
from tests.support.graphs import averaging_graph, write_model

MODELS = ("cdvd_lite", "cdvd_base")
GRAPHS = ("model.onnx", "model_fp16.onnx")
WINDOW = (8, 68, 100, 3)
SHAPE_ARITHMETIC = {"Shape", "Size", "Range", "ConstantOfShape", "NonZero", "Expand", "If", "Loop"}


def frames(shape: tuple[int, ...] = WINDOW) -> Frames:
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def shape_arithmetic(graph: onnx.GraphProto) -> Counter[str]:
    """Counts the nodes that compute sizes: those of a kind that does nothing else, and all that give integers."""
    inferred = onnx.shape_inference.infer_shapes(onnx.helper.make_model(graph), data_prop=False).graph
    kinds = {
        value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.output)
    }
    integers = {onnx.TensorProto.INT64, onnx.TensorProto.INT32}
    return Counter(
        node.op_type
        for node in graph.node
        if node.op_type in SHAPE_ARITHMETIC or any(kinds.get(name) in integers for name in node.output)
    )


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("model", MODELS)
def test_of_a_graph_for_one_size_no_node_computes_shapes(model: str, graph: str, tmp_path: Path) -> None:
    path = default_models() / model / "1" / graph
    assert shape_arithmetic(onnx.load(path).graph).total() > 1000

    # What is optimized further are kernels of one processor, of which onnx knows no types.
    optimized = tmp_path / "optimized.onnx"
    FixedSession(
        read_graph(path), WINDOW, processor(), settings=SessionSettings(optimized=optimized, basic=True)
    )

    assert shape_arithmetic(onnx.load(optimized).graph) == {}


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_for_one_size_restores_what_the_graph_for_all_does(graph: str) -> None:
    path = default_models() / "cdvd_lite" / "1" / graph
    dynamic = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = dynamic.run(["restored"], {"frames": frames()})
    difference = np.abs(DeviceEngine(path, processor()).restore(frames()).astype(int) - expected)

    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_a_shorter_window_is_computed_by_the_session_of_a_longer_one(tmp_path: Path) -> None:
    path = write_model(tmp_path, averaging_graph()) / "1" / "model.onnx"
    engine, whole = DeviceEngine(path, processor()), frames()
    together = engine.restore(whole)

    assert np.array_equal(engine.restore(whole[:6]), together[:2])
    assert np.array_equal(engine.restore(whole[:5]), together[:1])
    assert [session.shape for session in engine._sessions.values()] == [WINDOW]


def test_a_longer_window_and_another_size_get_sessions_of_their_own(tmp_path: Path) -> None:
    path = write_model(tmp_path, averaging_graph()) / "1" / "model.onnx"
    engine = DeviceEngine(path, processor())
    for shape in ((5, 64, 64, 3), (9, 64, 64, 3), (6, 64, 65, 3), (7, 66, 64, 3)):
        engine.restore(frames(shape))

    assert [session.shape for session in engine._sessions.values()] == [(6, 64, 65, 3), (7, 66, 64, 3)]


def test_a_window_is_lengthened_by_its_last_frame() -> None:
    short = frames((5, 2, 2, 3))
    longer = lengthened(short, 7)
    assert np.array_equal(longer[:5], short)
    assert np.array_equal(longer[5], short[4])
    assert np.array_equal(longer[6], short[4])


def test_lanes_are_lent_to_one_window_at_a_time(tmp_path: Path) -> None:
    path = write_model(tmp_path, averaging_graph()) / "1" / "model.onnx"
    session = FixedSession(read_graph(path), (5, 64, 64, 3), processor(), lanes=2)
    with session.lane() as one, session.lane() as other:
        first, second = frames((5, 64, 64, 3)), 255 - frames((5, 64, 64, 3))
        one.source.write(first)
        other.source.write(second)
        one.run()
        other.run()
        expected = OnnxEngine(path.parents[1])
        assert np.array_equal(one.target.read(), expected.restore(first))
        assert np.array_equal(other.target.read(), expected.restore(second))
