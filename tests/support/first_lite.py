"""A checkpoint of the first light network, with values made by rule, and what that network made of a window with it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FIXTURES = Path(__file__).parents[1] / "fixtures" / "first_lite"

CONFIG: dict[str, Any] = {
    "preset": "lite",
    "flow": {
        "channels": (16, 24, 32, 48),
        "finest_level": 1,
        "decoder": (48, 32, 24, 16),
        "downscale": 2,
    },
    "restoration": {"channels": (24, 48, 60), "blocks": (1, 2, 2)},
    "prior": "released",
    "use_flow": True,
    "stages": 2,
}
"""What its checkpoints say of the network: nothing of the fields that came later."""


def content() -> dict[str, Any]:
    """Returns what `torch.save` wrote into such a checkpoint."""
    return {"format": "cdvd-checkpoint-1", "config": CONFIG, "weights": _weights()}


def restored() -> NDArray[np.float32]:
    """Returns its output for frames 0 to 4 of `tests.support.parity`: float32 [96, 128, 3], from float16."""
    with np.load(_FIXTURES / "restored_96x128.npz") as stored:
        return np.asarray(stored["restored"], np.float32)


def _weights() -> dict[str, Tensor]:
    lines = (_FIXTURES / "checkpoint_keys.tsv").read_text().splitlines()
    entries = (line.split("\t") for line in lines)
    return {name: _tensor(name, tuple(int(size) for size in shape.split("x"))) for name, shape in entries}


def _tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """Normally distributed values of a size at which every layer matters and flow reaches a few pixels."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    values = np.random.default_rng(seed).standard_normal(shape)
    values *= 0.02 if len(shape) == 1 else np.sqrt(1.6 / (9 * max(shape[:2])))
    if ".conv2." in name or ".leave." in name or ".predict." in name:
        values *= 0.3
    return torch.from_numpy(values.astype(np.float32))
