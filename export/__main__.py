"""Makes a served model of a checkpoint: ``python -m export --checkpoint CKPT --name NAME --output model_repository``.

Writes what Triton and the service's own engines serve: ``NAME/1/model.onnx`` (FP32) and ``NAME/1/model_fp16.onnx`` (for
GPUs), ``NAME/config.pbtxt`` and ``NAME/configs/``, ``NAME/model.json`` (what the gateway's ``/models`` shows) and
``NAME/reference.npz`` (what a worker checks an engine's precision with). Everything is verified first; where that fails
the repository stays as it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cascade.network import checkpoint
from cascade.network.config import PRESETS
from export import verify
from export.repository import GIB, ExportOptions, export


def main() -> None:
    arguments = _parser().parse_args()
    try:
        cascade = checkpoint.load(arguments.checkpoint)
    except (FileNotFoundError, checkpoint.CheckpointError) as error:
        sys.exit(f"export: {error}")
    if arguments.preset and cascade.config.preset != arguments.preset:
        sys.exit(
            f"export: {arguments.checkpoint} holds a {cascade.config.preset!r} network, not {arguments.preset!r}."
        )
    directory = arguments.output / arguments.name
    try:
        comparisons = export(cascade, directory, _options(arguments))
    except verify.VerificationError as error:
        sys.exit(f"export: {error}")
    print(verify.table(comparisons))  # noqa: T201
    print(f"Wrote {directory}, opset {arguments.opset}, verified against PyTorch.")  # noqa: T201


def _options(arguments: argparse.Namespace) -> ExportOptions:
    return ExportOptions(
        opset=arguments.opset,
        half=arguments.precision == "fp16",
        description=arguments.description,
        gpu_memory=int(arguments.gpu_memory * GIB),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="ours, or a released CDVD-TSP .pt")
    parser.add_argument("--name", required=True, help="the model's name in the repository")
    parser.add_argument("--output", type=Path, default=Path("model_repository"))
    parser.add_argument("--preset", choices=sorted(PRESETS), help="refuse a checkpoint of another network")
    parser.add_argument(
        "--opset", type=int, default=17, choices=range(16, 20), help="TensorRT misreads 20 and up"
    )
    parser.add_argument(
        "--precision",
        choices=("fp16", "fp32"),
        default="fp16",
        help="what GPUs are served; fp16 writes a second graph",
    )
    parser.add_argument(
        "--gpu-memory", type=float, default=8.0, help="GiB that a window may take on a GPU (default 8)"
    )
    parser.add_argument(
        "--description", default="", help="what the model is for: a sentence or two that GET /models shows"
    )
    return parser


if __name__ == "__main__":
    main()
