"""The released checkpoints' tensors with values made by rule, and the reference's output for them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FIXTURES = Path(__file__).parents[1] / "fixtures" / "parity"


@dataclass(frozen=True)
class Reference:
    """``frames`` uint8 [7, 96, 128, 3]; outputs for frames 2..4 float32 [3, 96, 128, 3], rounded to float16."""

    frames: NDArray[np.uint8]
    stage1: NDArray[np.float32]
    restored: NDArray[np.float32]


def reference() -> Reference:
    with np.load(_FIXTURES / "reference_96x128.npz") as stored:
        return Reference(
            frames=stored["frames"],
            stage1=stored["stage1"].astype(np.float32),
            restored=stored["restored"].astype(np.float32),
        )


def released_state() -> dict[str, Tensor]:
    """A state dict with the names and shapes of a released checkpoint."""
    lines = (_FIXTURES / "checkpoint_keys.tsv").read_text().splitlines()
    state = {}
    for line in lines:
        name, shape = line.split("\t")
        state[name] = _tensor(name, tuple(int(size) for size in shape.split("x")))
    return state


def _tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(f"0:{name}".encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape)
    if len(shape) == 4:
        transposed = "Upflow" in name or "Upfeat" in name
        fan = shape[0] * 4 if transposed else shape[1] * shape[2] * shape[3]
        values *= np.sqrt(1.6 / fan)
    else:
        values *= 0.02
    if "recons_net" in name and ".conv2.weight" in name:
        values *= 0.15
    if name == "recons_net.outBlock.3.weight":
        values *= 0.12
    if name == "recons_net.outBlock.3.bias":
        values += 0.45
    return torch.from_numpy(values.astype(np.float32))
