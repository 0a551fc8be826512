"""Writes a model's directory in a repository: aside first, then verified, and only then put in its place."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from cascade.network.cascade import Cascade
from export import verify
from export.channels import fill_channels
from export.memory import MemoryCost, memory_cost, tile_cost
from export.onnx import write_onnx
from export.parts import write_parts
from export.precision import half_precision
from export.reference import write_reference
from export.triton import FP16_GRAPH, FP32_GRAPH, Plan, write_configs

GIB = 1024**3
_LICENSES = {
    "lite": "Apache-2.0",
    "base": "Apache-2.0",
    # The released weights come from code under GPL-3.0 and for research; they are never shipped with this project.
    "paper": "see the license of the checkpoint",
}
_HALF = Path("1") / FP16_GRAPH


@dataclass(frozen=True)
class ExportOptions:
    """How a checkpoint is exported."""

    opset: int = 17
    half: bool = True
    """Whether GPUs serve an FP16 graph, written beside the FP32 one."""
    description: str = ""
    """What the model is for: a sentence or two that GET /models shows."""
    gpu_memory: int = 8 * GIB
    """Bytes that a window may take on a GPU: what the warm-ups and TensorRT's profile are planned for."""


def export(cascade: Cascade, directory: Path, options: ExportOptions) -> list[verify.Comparison]:
    """Writes and verifies ``directory``, the model's place in a repository; replaces an older export there.

    Raises VerificationError, with ``directory`` as it was.
    """
    building = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(building, ignore_errors=True)
    try:
        staged = building / directory.name
        comparisons = _write(cascade, staged, options)
        _publish(staged, directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return comparisons


def _write(cascade: Cascade, directory: Path, options: ExportOptions) -> list[verify.Comparison]:
    fp32, fp16 = directory / "1" / FP32_GRAPH, directory / _HALF
    context = 2 * cascade.config.stages
    filled = fill_channels(cascade)
    write_onnx(filled, fp32, options.opset)
    write_parts(filled, fp32.parent, options.opset)
    verify.check_signature(fp32)
    comparisons = verify.compare(cascade, fp32)
    if options.half:
        write_onnx(half_precision(filled), fp16, options.opset)
        verify.check_signature(fp16)
        comparisons += verify.compare_precision(cascade, fp32, fp16)
    cost = memory_cost(fp32, context)
    plan = Plan.within(cost, options.gpu_memory, context)
    write_configs(directory, plan, context, FP16_GRAPH if options.half else FP32_GRAPH)
    write_reference(directory, fp32, context)
    content = _description(directory, cascade, options, cost)
    content |= {"tiles": asdict(tile_cost(fp32.parent))} | _half_description(fp16, comparisons)
    (directory / "model.json").write_text(json.dumps(content, indent=2) + "\n")
    return comparisons


def _description(
    directory: Path, cascade: Cascade, options: ExportOptions, cost: MemoryCost
) -> dict[str, object]:
    """Describes the FP32 graph, the one that every other is measured by."""
    preset = cascade.config.preset
    return {
        "name": directory.name,
        "preset": preset,
        "stages": cascade.config.stages,
        "precision": "fp32",
        "opset": options.opset,
        "parameters": sum(parameter.numel() for parameter in cascade.parameters()),
        "licence": _LICENSES[preset],
        "sha256": _digest(directory / "1" / FP32_GRAPH),
        "description": options.description,
        "min_psnr": verify.MIN_PSNR,
        "memory": {"frame": cost.frame, "context": cost.context},
        "gpu_memory": options.gpu_memory,
    }


def _half_description(path: Path, comparisons: list[verify.Comparison]) -> dict[str, object]:
    """Describes the FP16 graph, where there is one: its PSNR to FP32 is the worst of the windows compared."""
    if not path.is_file():
        return {}
    worst = min(result.psnr for result in comparisons if result.what == verify.HALF)
    return {"fp16": {"file": path.name, "sha256": _digest(path), "psnr": round(worst, 1)}}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _publish(staged: Path, directory: Path) -> None:
    """Puts the new files in place, each at once. What others put there, such as the model card, stays."""
    written = [path.relative_to(staged) for path in staged.rglob("*") if path.is_file()]
    for name in written:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).replace(directory / name)
    if _HALF not in written:
        (directory / _HALF).unlink(missing_ok=True)  # of an older export, with other weights
