"""The same errors from every engine that runs a graph: ONNX Runtime in this process, and a real Triton."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from service.errors.engine import EngineError, InferenceFailed, ModelNotFound
from service.inference.engine import DeblurEngine
from service.inference.onnx import OnnxEngine
from service.inference.triton import TritonEngine, TritonOptions
from tests.contract.test_engines import window
from tests.support.graphs import dark_graph, float_graph, identity_graph, outer_graph, write_model
from tests.support.triton_servers import running_triton

pytestmark = pytest.mark.integration

GRAPHS = {"dark": dark_graph, "outer": outer_graph, "float": float_graph, "broken": identity_graph}
WAYS = ["ONNX Runtime", "Triton, shared memory", "Triton, messages"]
Opened = Callable[[str], DeblurEngine]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, graph in GRAPHS.items():
        write_model(folder, graph(), name)
    (folder / "broken" / "1" / "model.onnx").write_bytes(b"not a graph")
    return folder


@pytest.fixture(scope="module")
def triton(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_triton(models, tmp_path_factory.mktemp("triton")) as server:
        yield server.address


@pytest.fixture(params=WAYS)
def opened(request: pytest.FixtureRequest, models: Path) -> Opened:
    if request.param == "ONNX Runtime":
        return lambda model: OnnxEngine(models / model, threads=1)
    options = TritonOptions([request.getfixturevalue("triton")], share_memory="shared" in request.param)
    return lambda model: TritonEngine(model, options)


def test_a_window_that_the_graph_refuses_fails_and_the_next_one_does_not(opened: Opened) -> None:
    with closing(opened("dark")) as engine:
        with pytest.raises(InferenceFailed, match=r"window of \[7, 64, 80, 3\]"):
            engine.restore(window(level=250))

        given = window(level=77)
        np.testing.assert_array_equal(engine.restore(given), given[2:-2])


def test_a_graph_that_returns_another_number_of_frames_is_noticed(opened: Opened) -> None:
    """By an engine elsewhere already when it is loaded."""
    with (
        pytest.raises(InferenceFailed, match=r"uint8 \[1, 64, 64, 3\] is due"),
        closing(opened("outer")) as engine,
    ):
        engine.restore(window(5, 64, 64))


@pytest.mark.parametrize("model", ["float", "broken"])
def test_a_graph_that_does_not_load_or_has_other_tensors_is_refused(opened: Opened, model: str) -> None:
    with pytest.raises(EngineError, match=model) as caught:
        opened(model)

    assert type(caught.value) is EngineError


def test_a_model_that_is_nowhere_is_not_found(opened: Opened) -> None:
    with pytest.raises(ModelNotFound, match="There is no model 'absent'"):
        opened("absent")
