"""The FP16 graphs of the repository: what is rounded in them, and how close they stay to FP32."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto

from cascade.evaluation.onnx_session import open_session
from cascade.network.cascade import Cascade
from cascade.network.config import BASE, LITE, PAPER, NetworkConfig
from export.frames import window
from export.precision import half_precision
from export.verify import Comparison
from service.config import default_models

HALVED = sorted(path.parents[1] for path in default_models().glob("*/1/model_fp16.onnx"))


@pytest.mark.parametrize("model", HALVED, ids=lambda path: path.name)
def test_convolutions_are_in_half_precision_and_positions_are_not(model: Path) -> None:
    graph = onnx.shape_inference.infer_shapes(onnx.load(model / "1" / "model_fp16.onnx")).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    kinds |= {weight.name: weight.data_type for weight in graph.initializer}

    def inputs(*operators: str) -> set[int]:
        return {
            kinds[n] for node in graph.node if node.op_type in operators for n in node.input if n in kinds
        }

    assert inputs("Conv", "ConvTranspose") == {TensorProto.FLOAT16}
    assert inputs("GridSample", "MatMul", "Exp", "Softmax") == {TensorProto.FLOAT}
    assert TensorProto.FLOAT16 not in inputs("Resize", "Range")


@pytest.mark.parametrize("model", HALVED, ids=lambda path: path.name)
def test_half_precision_is_close_also_on_a_wide_frame(model: Path) -> None:
    frames = window(5, 64, 960)
    full, half = (
        open_session(model / "1" / name).run(None, {"frames": frames})[0]
        for name in ("model.onnx", "model_fp16.onnx")
    )

    assert Comparison.of("", frames, full, half).psnr >= 50
    assert json.loads((model / "model.json").read_text())["fp16"]["psnr"] >= 50


@pytest.mark.parametrize("config", [LITE, BASE, PAPER], ids=lambda config: config.preset)
def test_the_network_itself_stays_in_full_precision(config: NetworkConfig) -> None:
    cascade = Cascade(config)
    half = half_precision(cascade)

    assert {parameter.dtype for parameter in cascade.parameters()} == {torch.float32}
    kept = [name for name, parameter in half.named_parameters() if parameter.dtype == torch.float32]
    assert all("upf" in name for name in kept)  # upsampled flow is a position
