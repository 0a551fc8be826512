"""Convolutions in bfloat16, and nothing but them."""

from __future__ import annotations

import openvino as ov

from service.config import default_models
from service.inference.bfloat16 import round_convolutions
from service.inference.openvino import OpenVinoEngine
from service.inference.precision import check_precision

LITE = default_models() / "cdvd_lite"


def test_convolutions_are_rounded_and_positions_are_not() -> None:
    model = ov.Core().read_model(LITE / "1" / "model.onnx")
    round_convolutions(model)
    types: dict[str, set[str]] = {}
    for node in model.get_ordered_ops():
        types.setdefault(node.get_type_name(), set()).add(node.output(0).get_element_type().get_type_name())

    assert types["Convolution"] == types["ConvolutionBackpropData"] == {"bf16"}
    assert "bf16" in types["Relu"]
    for kind in ("GridSample", "MatMul", "Interpolate", "AvgPool", "Exp", "Sqrt", "DepthToSpace"):
        assert types[kind] == {"f32"}, kind
    assert [port.element_type.get_type_name() for port in (*model.inputs, *model.outputs)] == ["u8", "u8"]


def test_the_model_is_as_exact_as_its_card_asks() -> None:
    engine = OpenVinoEngine(LITE, threads=1, bfloat16=True)

    assert (check_precision(engine, LITE) or 0) > 52
