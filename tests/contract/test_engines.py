"""What every engine must do, run over the fakes, ONNX Runtime and a real Triton with graphs of the same meaning."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from service.errors.job import JobCanceled
from service.inference.devices.device_engine import DeviceEngine
from service.inference.devices.offers import processor
from service.inference.engine import DeblurEngine, Frames
from service.inference.looks import SeveralLooks
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from service.inference.triton import TritonEngine, TritonOptions
from tests.support.fake_engines import AveragingEngine, IdentityEngine
from tests.support.graphs import averaging_graph, identity_graph, write_model
from tests.support.paced_triton import PacedTriton, paced_triton
from tests.support.triton_servers import running_triton


def _on_device(model: Path) -> DeblurEngine:
    """The way of accelerators, on the processor."""
    return DeviceEngine(model / "1" / "model.onnx", processor())


ENGINES: dict[str, Callable[[Path], DeblurEngine]] = {
    "fake identity": lambda _: IdentityEngine(),
    "fake average": lambda _: AveragingEngine(),
    "two looks": lambda _: SeveralLooks(AveragingEngine(), 2),
    "four looks": lambda _: SeveralLooks(AveragingEngine(), 4),
    "ONNX Runtime identity": lambda folder: OnnxEngine(write_model(folder, identity_graph()), threads=1),
    "ONNX Runtime average": lambda folder: OnnxEngine(write_model(folder, averaging_graph()), threads=1),
    "device identity": lambda folder: _on_device(write_model(folder, identity_graph())),
    "device average": lambda folder: _on_device(write_model(folder, averaging_graph())),
    "OpenVINO identity": lambda folder: OpenVinoEngine(write_model(folder, identity_graph()), threads=1),
    "OpenVINO average": lambda folder: OpenVinoEngine(write_model(folder, averaging_graph()), threads=1),
}


GRAPHS = {"identity": identity_graph, "average": averaging_graph}
TRITONS = {
    f"Triton {model}, {'shared memory' if shared else 'messages'}": (model, shared)
    for model in GRAPHS
    for shared in (True, False)
}
PACED = {"paced Triton identity": IdentityEngine(), "paced Triton average": AveragingEngine()}


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the graphs above."""
    root = tmp_path_factory.mktemp("triton")
    for name, graph in GRAPHS.items():
        write_model(root / "models", graph(), name)
    with running_triton(root / "models", root) as server:
        yield server.address


@pytest.fixture(scope="module")
def paced() -> Iterator[PacedTriton]:
    """A server of the tests that holds nothing back."""
    with paced_triton({}, PACED) as server:
        server.pace.release()
        yield server


@pytest.fixture(
    params=[*ENGINES, *PACED, *(pytest.param(name, marks=pytest.mark.integration) for name in TRITONS)]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeblurEngine]:
    if request.param in TRITONS:
        model, shared = TRITONS[request.param]
        options = TritonOptions([request.getfixturevalue("triton")], share_memory=shared)
        made: DeblurEngine = TritonEngine(model, options)
    elif request.param in PACED:
        address = f"127.0.0.1:{request.getfixturevalue('paced').port}"
        made = TritonEngine(request.param, TritonOptions([address]))
    else:
        made = ENGINES[request.param](tmp_path)
    yield made
    made.close()


def window(frames: int = 7, height: int = 64, width: int = 80, level: int | None = None) -> Frames:
    if level is not None:
        return np.full((frames, height, width, 3), level, np.uint8)
    return np.random.default_rng(frames).integers(0, 256, (frames, height, width, 3), np.uint8)


@pytest.mark.parametrize(("frames", "height", "width"), [(5, 64, 64), (6, 65, 99), (12, 96, 64)])
def test_a_window_gives_its_inner_frames(engine: DeblurEngine, frames: int, height: int, width: int) -> None:
    restored = engine.restore(window(frames, height, width))

    assert restored.shape == (frames - 4, height, width, 3)
    assert restored.dtype == np.uint8


def test_a_still_window_stays_as_it_is(engine: DeblurEngine) -> None:
    assert (engine.restore(window(level=77)) == 77).all()


def test_a_frame_does_not_depend_on_the_length_of_its_window(engine: DeblurEngine) -> None:
    whole = window(9)
    together = engine.restore(whole)
    alone = np.concatenate([engine.restore(whole[start : start + 5]) for start in range(5)])

    np.testing.assert_array_equal(together, alone)


def test_the_window_is_left_as_it_was(engine: DeblurEngine) -> None:
    given = window()
    engine.restore(given)

    np.testing.assert_array_equal(given, window())


def test_a_window_that_is_not_contiguous_is_taken(engine: DeblurEngine) -> None:
    given = window(width=160)[:, :, ::2]

    np.testing.assert_array_equal(engine.restore(given), engine.restore(given.copy()))


def test_several_threads_may_call(engine: DeblurEngine) -> None:
    windows = [window(5 + n % 3, level=n) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        levels = [int(restored[0, 0, 0, 0]) for restored in pool.map(engine.restore, windows)]

    assert levels == list(range(8))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 64, 64, 3), np.uint8),
        np.zeros((5, 64, 64, 4), np.uint8),
        np.zeros((5, 64, 64), np.uint8),
        np.zeros((5, 64, 64, 3), np.float32),
    ],
)
def test_other_shapes_and_types_are_refused(engine: DeblurEngine, wrong: Frames) -> None:
    with pytest.raises(ValueError, match="window"):
        engine.restore(wrong)


def test_a_window_that_nobody_wants_is_not_restored(engine: DeblurEngine) -> None:
    with pytest.raises(JobCanceled):
        engine.restore(window(), lambda: True)
