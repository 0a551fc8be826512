"""Where models are placed, what is said about it, and what happens when a device fails."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from service.config import default_models
from service.devices.names import DeviceOrder
from service.errors.engine import (
    DeviceUnavailable,
    EngineError,
    InferenceFailed,
    ModelNotFound,
    OutOfMemory,
    PrecisionTooLow,
)
from service.inference.devices import falling_back, placing
from service.inference.devices.device_engine import DeviceEngine
from service.inference.devices.falling_back import FallingBack
from service.inference.devices.offers import Offer, processor
from service.inference.devices.placing import DeviceSettings, place
from service.inference.engine import Frames, Stopped, never
from service.inference.onnx import OnnxEngine
from tests.support.fake_engines import IdentityEngine
from tests.support.graphs import dark_graph, following_graph, identity_graph, write_model

ABSENT = pytest.mark.filterwarnings("ignore:Specified provider 'NoSuchExecutionProvider'")
WINDOW = np.random.default_rng(0).integers(0, 200, (7, 64, 96, 3), np.uint8)


def settings(order: str, precision: placing.Precision = "auto") -> DeviceSettings:
    return DeviceSettings(DeviceOrder.parse(order), precision, threads=1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that leaves frames as they are, and says so in its reference; its FP16 graph is another network."""
    directory = write_model(tmp_path, identity_graph())
    picture = np.random.default_rng(0).integers(0, 200, (64, 96, 3), np.uint8)
    np.savez_compressed(directory / "reference.npz", picture=picture, step=4, restored=picture[None, :, 8:-8])
    card = {"min_psnr": 50.0, "fp16": {"file": "half.onnx", "sha256": "", "psnr": 60.0}}
    (directory / "model.json").write_text(json.dumps(card))
    shutil.copy(directory / "1" / "model.onnx", directory / "1" / "half.onnx")
    return directory


def accelerators(monkeypatch: pytest.MonkeyPatch, *kinds: str) -> None:
    """Offers devices that are the processor under other names, so that all of their way is real."""
    found = tuple(Offer(placing.Device(kind), "CPUExecutionProvider") for kind in kinds)
    monkeypatch.setattr(placing, "offers", lambda: (*found, processor()))


def test_without_an_accelerator_auto_is_the_processor_with_the_fp32_graph() -> None:
    placed = place(default_models() / "cdvd_lite", settings("auto"))
    assert isinstance(placed.engine, OnnxEngine)
    assert (placed.placement.device, placed.placement.precision) == ("cpu", "fp32")
    assert "dB from the model's own result" in placed.placement.why


def test_the_processor_computes_the_fp16_graph_if_it_is_told_to() -> None:
    placed = place(default_models() / "cdvd_lite", settings("cpu", "fp16"))
    assert isinstance(placed.engine, DeviceEngine)
    assert placed.placement.line.startswith("cdvd_lite runs on cpu in fp16: 6")


def test_an_accelerator_gets_the_fp16_graph(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerators(monkeypatch, "webgpu", "cuda")
    placement = place(model, settings("auto")).placement
    assert (placement.device, placement.precision) == ("webgpu", "fp16")
    assert placement.why.endswith("the best of webgpu, cuda, cpu")
    assert place(model, settings("cuda", "fp32")).placement.line == (
        "tiny runs on cuda in fp32: 99.0 dB from the model's own result; asked for by name"
    )


def test_a_precision_that_the_guard_refuses_gives_way_to_the_other(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerators(monkeypatch, "cuda")
    spoil(model / "1" / "half.onnx")
    placement = place(model, settings("cuda")).placement
    assert (placement.device, placement.precision) == ("cuda", "fp32")
    assert "dB from the FP32 graph's" in placement.why
    with pytest.raises(PrecisionTooLow):
        place(model, settings("cuda", "fp16"))


@ABSENT
def test_auto_goes_on_to_the_next_device_and_says_why(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Offer(placing.Device("cuda"), "NoSuchExecutionProvider")
    monkeypatch.setattr(placing, "offers", lambda: (broken, processor()))
    placement = place(model, settings("auto")).placement
    assert placement.device == "cpu"
    assert placement.why.count("cuda failed on a window") == 1


@ABSENT
def test_a_device_that_is_named_is_the_only_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Offer(placing.Device("cuda"), "NoSuchExecutionProvider")
    monkeypatch.setattr(placing, "offers", lambda: (broken, processor()))
    with pytest.raises(DeviceUnavailable, match="cuda failed on a window"):
        place(model, settings("cuda"))
    assert place(model, settings("cuda,cpu")).placement.device == "cpu"


def test_reasons_of_all_devices_are_told_if_none_works(model: Path) -> None:
    with pytest.raises(DeviceUnavailable, match=r"No device is left\. .*directml.*migraphx"):
        place(model, settings("directml,migraphx"))


def test_a_model_that_is_not_there_is_not_the_devices_fault(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        place(tmp_path / "nowhere", settings("auto"))


def test_a_precision_without_a_graph_is_refused(model: Path) -> None:
    (model / "model.json").write_text("{}")
    with pytest.raises(EngineError, match="has no FP16 graph"):
        place(model, settings("cpu", "fp16"))


@pytest.mark.parametrize("name", ["../model.onnx", "a/b.onnx", "graph"])
def test_a_card_names_a_file_beside_the_graph(model: Path, name: str) -> None:
    (model / "model.json").write_text(json.dumps({"fp16": {"file": name}}))
    with pytest.raises(EngineError, match=r"model\.json cannot be read"):
        place(model, settings("cpu", "fp16"))


def spoil(path: Path) -> None:
    """Replaces the graph by one that gives other frames."""
    onnx.save(following_graph(), path)


def failing_on_bright_frames(model: Path) -> None:
    onnx.save(dark_graph(), model / "1" / "half.onnx")


BRIGHT: Frames = np.full((6, 64, 64, 3), 250, np.uint8)


def test_a_device_that_fails_later_gives_way_where_that_is_allowed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerators(monkeypatch, "cuda")
    failing_on_bright_frames(model)
    engine = FallingBack(model, settings("cuda,cpu"))
    assert engine.placement.device == "cuda"
    assert np.array_equal(engine.restore(WINDOW), WINDOW[2:-2])

    assert np.array_equal(engine.restore(BRIGHT), BRIGHT[2:-2])
    assert engine.placement.device == "cpu"
    assert "cuda failed on a window of [6, 64, 64, 3]" in engine.placement.why
    assert np.array_equal(engine.restore(WINDOW), WINDOW[2:-2])
    engine.close()


@pytest.mark.parametrize("order", ["cuda", "auto"])
def test_and_fails_the_window_where_it_is_not(
    model: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    accelerators(monkeypatch, "cuda")
    failing_on_bright_frames(model)
    engine = FallingBack(model, settings(order))
    with pytest.raises(InferenceFailed, match="cuda failed on a window"):
        engine.restore(BRIGHT)
    assert engine.placement.device == "cuda"
    assert np.array_equal(engine.restore(WINDOW), WINDOW[2:-2])


def test_a_device_without_memory_for_a_window_keeps_the_work(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerators(monkeypatch, "cuda")
    engine = FallingBack(model, settings("cuda,cpu"))

    def full(*_: object) -> Frames:
        raise RuntimeError("CUDA failure 2: out of memory ; GPU=0")

    with monkeypatch.context() as patch:
        patch.setattr(DeviceEngine, "_restore", full)
        with pytest.raises(OutOfMemory, match="cuda failed on a window"):
            engine.restore(WINDOW)
    assert engine.placement.device == "cuda"
    assert np.array_equal(engine.restore(WINDOW), WINDOW[2:-2])


class LostEngine(IdentityEngine):
    """A device after an error that it does not recover from."""

    def restore(self, _window: Frames, _stopped: Stopped = never, /) -> Frames:
        raise InferenceFailed("CUDA failure 700: an illegal memory access was encountered.")


def test_a_device_is_lost_when_it_fails_on_the_reference_window_as_well(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerators(monkeypatch, "cuda")
    failing_on_bright_frames(model)
    reasons: list[str] = []
    engine = FallingBack(model, settings("cuda"), reasons.append)
    with pytest.raises(InferenceFailed):
        engine.restore(BRIGHT)
    assert reasons == []

    engine._placed = replace(engine._placed, engine=LostEngine())
    with pytest.raises(InferenceFailed):
        engine.restore(WINDOW)
    assert reasons == ["CUDA failure 700: an illegal memory access was encountered."]


PLUGGED_IN = """
import onnxruntime as ort
import onnxruntime_ep_openvino as openvino
from pathlib import Path
from service.config import default_models
from service.devices.names import DeviceOrder
from service.inference.devices import offers, placing, plugins

# Under such a name it also offers devices that it can only compile for, and here not even that.
ort.register_execution_provider_library("openvino.virtual", openvino.get_library_path())
offers.registered_plugins = lambda: (plugins.Plugin("openvino", tuple(openvino.get_ep_names())),)
settings = placing.DeviceSettings(DeviceOrder.parse("openvino,cpu"))
print(placing.place(default_models() / "cdvd_lite", settings).placement.line.replace("\\n", " "))
"""


def test_a_device_of_a_real_plugin_that_fails_gives_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLUGGED_IN], capture_output=True, text=True, timeout=240, check=True
    )
    assert done.stdout.startswith("cdvd_lite runs on cpu in fp32: ")
    assert "openvino:0 failed on a window" in done.stdout


def test_callers_that_fail_together_move_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerators(monkeypatch, "cuda")
    failing_on_bright_frames(model)
    engine = FallingBack(model, settings("cuda,cpu"))
    moves: list[Sequence[str]] = []
    real = falling_back.place

    def counted(directory: Path, chosen: DeviceSettings, known: Sequence[str] = ()) -> placing.Placed:
        moves.append(known)
        return real(directory, chosen, known)

    monkeypatch.setattr(falling_back, "place", counted)
    with ThreadPoolExecutor(3) as pool:
        for restored in pool.map(engine.restore, [BRIGHT] * 3):
            assert np.array_equal(restored, BRIGHT[2:-2])
    assert len(moves) == 1
