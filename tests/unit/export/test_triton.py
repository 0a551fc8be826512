"""Every model of the repository: its configurations against its graphs, and against what the exporter writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig, ModelInstanceGroup

from export.memory import MemoryCost
from export.triton import Plan, write_configs
from service.config import default_models

MODELS = sorted(path.parent for path in default_models().glob("*/model.json"))
CONFIGS = ["config.pbtxt", "configs/cpu.pbtxt", "configs/fp32.pbtxt", "configs/tensorrt.pbtxt"]
TYPES = {onnx.TensorProto.UINT8: "TYPE_UINT8"}

pytestmark = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)


def parsed(path: Path) -> ModelConfig:
    return text_format.Parse(path.read_text(), ModelConfig())


def described(model: Path) -> dict[str, Any]:
    return dict(json.loads((model / "model.json").read_text()))


def tensors(values: list[onnx.ValueInfoProto]) -> list[tuple[str, str, list[int]]]:
    kinds = [(value.name, value.type.tensor_type) for value in values]
    return [
        (name, TYPES[kind.elem_type], [dim.dim_value or -1 for dim in kind.shape.dim]) for name, kind in kinds
    ]


@pytest.mark.parametrize("file", CONFIGS)
def test_a_configuration_states_the_tensors_of_the_graph_it_serves(model: Path, file: str) -> None:
    config = parsed(model / file)
    graph = onnx.load(model / "1" / config.default_model_filename).graph
    stated = [
        [(t.name, DataType.Name(t.data_type), list(t.dims)) for t in side]
        for side in (config.input, config.output)
    ]

    assert stated == [tensors(graph.input), tensors(graph.output)]
    assert (config.name, config.backend, config.max_batch_size) == (model.name, "onnxruntime", 0)
    assert config.version_policy.latest.num_versions == 1


@pytest.mark.parametrize("file", CONFIGS)
def test_it_says_where_the_model_runs_and_warms_it_up(model: Path, file: str) -> None:
    config = parsed(model / file)
    (group,) = config.instance_group
    kind = ModelInstanceGroup.KIND_CPU if file == "configs/cpu.pbtxt" else ModelInstanceGroup.KIND_GPU

    assert (group.count, group.kind) == (1, kind)
    assert config.model_warmup
    for warmup in config.model_warmup:
        assert warmup.batch_size == 1  # 0 is skipped without a word
        frames, height, width, channels = warmup.inputs["frames"].dims
        assert frames >= 5
        assert min(height, width) >= 64
        assert channels == 3


def test_gpus_are_warmed_up_for_windows_that_fit_their_memory(model: Path) -> None:
    card = described(model)
    cost = MemoryCost(**card["memory"])
    sizes = [tuple(w.inputs["frames"].dims[:3]) for w in parsed(model / "config.pbtxt").model_warmup]

    assert {size[1:] for size in sizes} == {(720, 1280), (1080, 1920)}
    for frames, height, width in sizes:
        assert cost.window(frames - 2 * card["stages"], height, width) <= card["gpu_memory"]


def test_tensorrt_has_caches_and_a_profile_from_the_smallest_to_the_largest_window(model: Path) -> None:
    config = parsed(model / "configs/tensorrt.pbtxt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    chosen = dict(accelerator.parameters)
    shapes = [
        [int(size) for size in chosen.pop(f"trt_profile_{end}_shapes").removeprefix("frames:").split("x")]
        for end in ("min", "opt", "max")
    ]

    assert accelerator.name == "tensorrt"
    for low, middle, high in zip(*shapes, strict=True):
        assert low <= middle <= high
    assert chosen == {
        "trt_engine_cache_enable": "true",
        "trt_engine_cache_path": "/var/cache/cdvd",
        "trt_timing_cache_enable": "true",
        "trt_timing_cache_path": "/var/cache/cdvd",
    }


def test_the_files_are_those_that_the_exporter_writes(model: Path, tmp_path: Path) -> None:
    card = described(model)
    context = 2 * card["stages"]
    plan = Plan.within(MemoryCost(**card["memory"]), card["gpu_memory"], context)
    written = tmp_path / model.name
    write_configs(written, plan, context, card["fp16"]["file"] if "fp16" in card else "model.onnx")

    for file in CONFIGS:
        assert (model / file).read_text() == (written / file).read_text(), file
    assert sorted(path.name for path in (model / "configs").iterdir()) == [
        Path(file).name for file in CONFIGS[1:]
    ]
