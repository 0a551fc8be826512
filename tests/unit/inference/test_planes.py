"""Planes merged into one image: fewer blocks of channels, the same result."""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as operations

from service.config import default_models
from service.inference.planes import merge_planes

LITE = default_models() / "cdvd_lite" / "1" / "model.onnx"
IMAGES = np.random.default_rng(1).random((3, 2, 24, 40), np.float32)


def pooled_and_resized() -> ov.Model:
    images = operations.parameter(IMAGES.shape, np.float32)
    pooled = operations.avg_pool(images, [1, 1], [2, 2], [2, 2], [5, 5], exclude_pad=False)
    sizes = operations.constant(np.array([3, 2, 90, 160], np.int64))
    resized = operations.interpolate(pooled, sizes, "linear_onnx", "sizes")
    return ov.Model([operations.relu(resized)], [images])


def computed(model: ov.Model) -> np.ndarray:
    config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return np.asarray(ov.Core().compile_model(model, "CPU", config)(IMAGES)[0])


def with_few_channels(model: ov.Model) -> int:
    """Counts what pools or resizes several images whose channels fill no block."""
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() in ("AvgPool", "Interpolate")]
    return sum(node.output(0).shape[0] > 1 and bool(node.output(0).shape[1] % 16) for node in nodes)


def test_nothing_that_pools_or_resizes_is_left_with_channels_that_fill_no_block() -> None:
    model = ov.Core().read_model(LITE)
    model.reshape([6, 72, 88, 3])
    before = with_few_channels(model)
    merge_planes(model)

    assert before > 10
    assert with_few_channels(model) == 0


def test_merged_planes_give_the_same_values() -> None:
    separate, merged = pooled_and_resized(), pooled_and_resized()
    merge_planes(merged)

    assert (with_few_channels(separate), with_few_channels(merged)) == (2, 0)
    np.testing.assert_allclose(computed(merged), computed(separate), atol=1e-6)
