"""``python -m export --checkpoint CKPT --name NAME --output model_repository``: a checkpoint becomes a served model.

Writes ``NAME/1/model.onnx``, ``NAME/config.pbtxt`` and ``NAME/model.json`` (what the gateway's ``/models`` shows), then
verifies them; nothing is left in the repository when the verification fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

from cascade import checkpoint
from cascade.cascade import Cascade
from cascade.config import PRESETS
from export import triton, verify
from export.onnx import write_onnx

_LICENCES = {
    "lite": "Apache-2.0",
    # The released weights come from code under GPL-3.0 and for research; they are never shipped with this project.
    "paper": "see the licence of the checkpoint",
}


def export(cascade: Cascade, directory: Path, opset: int, description: str) -> list[verify.Comparison]:
    """Write and verify ``directory``, the model's place in a repository; an older export there is replaced.

    Raises VerificationError, with ``directory`` as it was.
    """
    building = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(building, ignore_errors=True)
    try:
        staged = building / directory.name
        write_onnx(cascade, staged / "1" / "model.onnx", opset)
        triton.write_config(staged)
        comparisons = verify.compare(cascade, staged / "1" / "model.onnx")
        verify.check_signature(staged)
        _write_description(staged, cascade, opset, description)
        _publish(staged, directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return comparisons


def _write_description(directory: Path, cascade: Cascade, opset: int, description: str) -> None:
    preset = cascade.config.preset
    content = {
        "name": directory.name,
        "preset": preset,
        "stages": cascade.config.stages,
        "precision": "fp32",
        "opset": opset,
        "parameters": sum(parameter.numel() for parameter in cascade.parameters()),
        "licence": _LICENCES[preset],
        "sha256": hashlib.sha256((directory / "1" / "model.onnx").read_bytes()).hexdigest(),
        "description": description,
    }
    (directory / "model.json").write_text(json.dumps(content, indent=2) + "\n")


def _publish(staged: Path, directory: Path) -> None:
    """Replace what an export writes; other files there, such as the model card, stay."""
    (directory / "1").mkdir(parents=True, exist_ok=True)
    for name in ("1/model.onnx", "config.pbtxt", "model.json"):
        (staged / name).replace(directory / name)


def main() -> None:
    arguments = _parser().parse_args()
    try:
        cascade = checkpoint.load(arguments.checkpoint)
    except (FileNotFoundError, checkpoint.CheckpointError) as error:
        sys.exit(f"export: {error}")
    if arguments.preset and cascade.config.preset != arguments.preset:
        sys.exit(
            f"export: {arguments.checkpoint} holds a {cascade.config.preset!r} network, not {arguments.preset!r}"
        )
    directory = arguments.output / arguments.name
    try:
        comparisons = export(cascade, directory, arguments.opset, arguments.description)
    except verify.VerificationError as error:
        sys.exit(f"export: {error}")
    for result in comparisons:
        print(f"window {result.shape}: largest difference {result.largest} of 255, share {result.share:.2e}")  # noqa: T201
    print(f"wrote {directory}, opset {arguments.opset}, verified against PyTorch")  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="ours, or a released CDVD-TSP .pt")
    parser.add_argument("--name", required=True, help="the model's name in the repository")
    parser.add_argument("--output", type=Path, default=Path("model_repository"))
    parser.add_argument("--preset", choices=sorted(PRESETS), help="refuse a checkpoint of another network")
    parser.add_argument(
        "--opset", type=int, default=17, choices=range(16, 20), help="TensorRT misreads 20 and up"
    )
    parser.add_argument("--description", default="", help="one sentence for GET /models")
    return parser


if __name__ == "__main__":
    main()
