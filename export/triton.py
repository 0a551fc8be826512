"""Writes the Triton configurations of an exported model, all of them for the server's ONNX Runtime backend.

``config.pbtxt`` serves GPUs and is what Triton takes by itself; the others are chosen for a whole server by
``tritonserver --model-config-name=NAME`` and lie in ``configs/NAME.pbtxt``:

- ``cpu``: without a GPU, in FP32;
- ``fp32``: as the first, with the FP32 graph, where the FP16 one is not good enough;
- ``tensorrt``: engines built by TensorRT, for windows up to `Plan.largest` and no larger: a window beyond an engine's
  profile fails. So it is for those who know their videos' sizes, and not the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.memory import MemoryCost
from export.onnx import INPUT, OUTPUT

FP32_GRAPH, FP16_GRAPH = "model.onnx", "model_fp16.onnx"
DIMS = (-1, -1, -1, 3)
"""Of both tensors: [frames, height, width, RGB]."""
SMALLEST = (64, 64)
HD, FULL_HD = (720, 1280), (1080, 1920)
LARGEST = (1920, 1920)
"""Height and width that TensorRT's profile reaches: 1080p, lying or standing."""
LONGEST = 12
"""Output frames of the longest window, as the service's setting ``window_frames`` has it."""
CACHE = "/var/cache/cdvd"
"""Where the Triton container keeps TensorRT's engines and timings: a volume, or they are built at every start."""

_HEAD = """\
# Written by `python -m export`; change the exporter, not this file.
name: "{name}"
backend: "onnxruntime"
default_model_filename: "{graph}"
max_batch_size: 0
version_policy {{ latest {{ num_versions: 1 }} }}
input [ {{ name: "{input}", data_type: TYPE_UINT8, dims: [ {dims} ] }} ]
output [ {{ name: "{output}", data_type: TYPE_UINT8, dims: [ {dims} ] }} ]
instance_group [ {{ count: 1, kind: KIND_{kind} }} ]
"""
_WARMUP = """\
model_warmup [ {{
  name: "{name}"
  batch_size: 1
  inputs {{ key: "{input}" value: {{ data_type: TYPE_UINT8, dims: [ {shape} ], zero_data: true }} }}
}} ]
"""
# The first replaces a benchmark of every convolution at every new size, seconds long, by a heuristic; the second
# keeps the arena from doubling. Among a model's own parameters because the backend overrides the same choice made
# under gpu_execution_accelerator.
_CUDA = """\
parameters { key: "cudnn_conv_algo_search" value: { string_value: "1" } }
parameters { key: "arena_extend_strategy" value: { string_value: "1" } }
"""
_TENSORRT = """\
optimization {{ execution_accelerators {{ gpu_execution_accelerator [ {{
  name: "tensorrt"
{parameters}
}} ] }} }}
"""


@dataclass(frozen=True)
class Plan:
    """The windows that a GPU is prepared for; shapes are [frames in, height, width, 3]."""

    hd: tuple[int, ...]
    full_hd: tuple[int, ...]
    largest: tuple[int, ...]

    @classmethod
    def within(cls, cost: MemoryCost, budget: int, context_frames: int) -> Plan:
        """Plans the longest windows whose memory stays within ``budget`` bytes, of at most `LONGEST` output frames."""

        def window(size: tuple[int, int]) -> tuple[int, ...]:
            return (min(cost.longest(budget, *size), LONGEST) + context_frames, *size, DIMS[-1])

        return cls(window(HD), window(FULL_HD), window(LARGEST))


def write_configs(directory: Path, plan: Plan, context_frames: int, gpu_graph: str) -> None:
    """Writes ``config.pbtxt`` and ``configs/*.pbtxt`` of the model in ``directory``.

    ``gpu_graph`` is the file in ``1/`` that GPUs serve.
    """
    smallest = (context_frames + 1, *SMALLEST, DIMS[-1])
    warmups = {"full_hd": plan.full_hd, "hd": plan.hd}
    gpu = _head(directory.name, gpu_graph, "GPU") + _CUDA
    files = {
        "config.pbtxt": gpu + _warmups(warmups),
        "configs/cpu.pbtxt": _head(directory.name, FP32_GRAPH, "CPU") + _warmups({"smallest": smallest}),
        "configs/fp32.pbtxt": _head(directory.name, FP32_GRAPH, "GPU") + _CUDA + _warmups(warmups),
        # A shape within the profile suffices: the engine is built when the model is loaded.
        "configs/tensorrt.pbtxt": gpu + _tensorrt(plan, smallest) + _warmups({"smallest": smallest}),
    }
    (directory / "configs").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)


def _head(name: str, graph: str, kind: str) -> str:
    dims = ", ".join(map(str, DIMS))
    return _HEAD.format(name=name, graph=graph, kind=kind, input=INPUT, output=OUTPUT, dims=dims)


def _warmups(shapes: dict[str, tuple[int, ...]]) -> str:
    """Asks Triton to load kernels and fill the arena before the first request; with batch_size 0 it would not."""
    return "".join(
        _WARMUP.format(name=name, input=INPUT, shape=", ".join(map(str, shape)))
        for name, shape in shapes.items()
    )


def _tensorrt(plan: Plan, smallest: tuple[int, ...]) -> str:
    """Chooses TensorRT without a precision_mode: the graph says what is FP16, and a mode would put positions there."""
    usual = (min(plan.hd[0], plan.largest[0]), *plan.hd[1:])
    profile = {"min": smallest, "opt": usual, "max": plan.largest}
    values = {
        "trt_engine_cache_enable": "true",
        "trt_engine_cache_path": CACHE,
        "trt_timing_cache_enable": "true",
        "trt_timing_cache_path": CACHE,
        **{f"trt_profile_{end}_shapes": f"{INPUT}:{'x'.join(map(str, s))}" for end, s in profile.items()},
    }
    lines = (f'  parameters {{ key: "{key}" value: "{value}" }}' for key, value in values.items())
    return _TENSORRT.format(parameters="\n".join(lines))
