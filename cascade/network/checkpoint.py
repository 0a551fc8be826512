"""Reads and writes weights: our own checkpoints, and the released CDVD-TSP ones by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cascade.network import checkpoint_parts
from cascade.network.cascade import Cascade
from cascade.network.config import PAPER, from_dict, to_dict

FORMAT = "cdvd-checkpoint-1"

_ORDINALS = {"One": 1, "Two": 2, "Thr": 3, "Fou": 4, "Fiv": 5, "Six": 6}
_BLOCKS = {
    # released module -> ours
    "inBlock": "enter",
    "encoder_first": "down1",
    "encoder_second": "down2",
    "decoder_second": "up2",
    "decoder_first": "up1",
    "outBlock": "leave",
}


class CheckpointError(ValueError):
    """The file is not a checkpoint of this network; the message names the first tensors that differ."""


def released_name(name: str) -> str:
    """Returns our name of a tensor in a released checkpoint, for example of ``recons_net.outBlock.3.bias``.

    Raises CheckpointError for a name that released checkpoints do not have.
    """
    if found := re.fullmatch(r"recons_net\.(\w+)\.(.+)", name):
        return _restoration_name(found[1], found[2], name)
    if found := re.fullmatch(r"flow_net\.moduleNetwork\.(\w+)\.(\w+)\.(.+)", name):
        return _flow_name(found[1], found[2], found[3], name)
    raise CheckpointError(f"{name!r} is not a tensor of a released checkpoint.")


def _restoration_name(block: str, rest: str, name: str) -> str:
    if block not in _BLOCKS:
        raise CheckpointError(f"{name!r} is not a tensor of a released checkpoint.")
    index, _, leaf = rest.partition(".")
    number = int(index)
    encodes = block in ("inBlock", "encoder_first", "encoder_second")
    if encodes and number > 0:
        number += 1  # released: (conv, ReLU) is one child; ours: two
    if leaf.startswith("0."):
        leaf = leaf[2:]
    return f"stage.restoration.body.{_BLOCKS[block]}.{number}.{leaf}"


def _flow_name(part: str, child: str, leaf: str, name: str) -> str:
    if part == "moduleExtractor":
        index, _, kind = leaf.partition(".")
        return f"stage.flow.pyramid.levels.{_ORDINALS[child.removeprefix('module')] - 1}.{int(index) // 2}.0.{kind}"
    if part == "moduleRefiner":
        index, _, kind = leaf.partition(".")
        unit = int(index) // 2
        return f"stage.flow.refiner.{unit}.{kind}" if unit == 6 else f"stage.flow.refiner.{unit}.0.{kind}"
    level = _ORDINALS.get(part.removeprefix("module"))
    if level is None:
        raise CheckpointError(f"{name!r} is not a tensor of a released checkpoint.")
    decoder = f"stage.flow.decoders.{6 - level}"
    if child in ("moduleUpflow", "moduleUpfeat"):
        return f"{decoder}.{child.removeprefix('module').lower()}.{leaf}"
    layer = _ORDINALS[child.removeprefix("module")]
    kind = leaf.removeprefix("0.")
    return f"{decoder}.predict.{kind}" if layer == 6 else f"{decoder}.layers.{layer - 1}.0.{kind}"


def from_released(state: dict[str, Tensor]) -> Cascade:
    """Builds the paper's cascade with the weights of a released checkpoint's state dict, strictly.

    Raises CheckpointError where a tensor is missing, unknown or of another shape.
    """
    cascade = Cascade(PAPER)
    _load_strictly(cascade, {released_name(name): tensor for name, tensor in state.items()})
    return cascade


def load(path: Path) -> Cascade:
    """Builds a cascade in evaluation mode from one of our checkpoints or a released ``.pt``, on the CPU.

    Reads tensors and plain values only (``weights_only=True``): a checkpoint cannot run code. Raises FileNotFoundError
    or CheckpointError.
    """
    content = read(path)
    if content.get("format") == FORMAT:
        cascade = Cascade(from_dict(content["config"]))
        _load_strictly(cascade, content["weights"])
    else:
        cascade = from_released(content)
    return cascade.eval()


def load_flow(path: Path) -> dict[str, Tensor]:
    """Reads the flow network's tensors, named as in a cascade, of a checkpoint that `load` takes or of PWC-Net alone.

    PWC-Net alone is a state dict with the names of the public PyTorch versions (``moduleExtractor.moduleOne.0.weight``
    and so on). Raises FileNotFoundError or CheckpointError.
    """
    content = read(path)
    if content.get("format") == FORMAT:
        weights = content["weights"]
    elif any(name.startswith("moduleExtractor.") for name in content):
        weights = {released_name(f"flow_net.moduleNetwork.{name}"): t for name, t in content.items()}
    else:
        weights = {released_name(name): tensor for name, tensor in content.items()}
    return {name: tensor for name, tensor in weights.items() if name.startswith("stage.flow.")}


def read(path: Path) -> dict[str, Any]:
    """Reads the raw content of a checkpoint, its parts joined. Raises FileNotFoundError or CheckpointError."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint at {path}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path} is not a checkpoint: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds {type(content).__name__}, not a state dict.")
    try:
        return checkpoint_parts.join(path, content)
    except Exception as error:
        raise CheckpointError(f"A part of {path} is missing or broken: {error}") from error


def save(path: Path, cascade: Cascade, part_bytes: int | None = None, **training: Any) -> None:
    """Writes config and weights, and what training needs to go on, atomically.

    With ``part_bytes``, in several files where one would hold more bytes of tensors. Raises OSError.
    """
    content = {
        "format": FORMAT,
        "config": to_dict(cascade.config),
        "weights": cascade.state_dict(),
        **training,
    }
    checkpoint_parts.write(path, content, part_bytes)


def _load_strictly(cascade: Cascade, weights: dict[str, Tensor]) -> None:
    try:
        cascade.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise CheckpointError(str(error)) from error
