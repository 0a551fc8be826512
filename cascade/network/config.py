"""What a network is made of. Saved inside our checkpoints, so that a file alone rebuilds its network."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Prior(StrEnum):
    """How the temporal sharpness prior S is computed from the aligned neighbours."""

    RELEASED = "released"
    """exp(-sqrt(d2)), box-filtered differences: what the released code and every released checkpoint use."""
    EQUATION = "equation"
    """exp(-1/2 sum_j D), the paper's equation (4)."""
    NONE = "none"
    """All ones: the ablation without the prior."""


@dataclass(frozen=True)
class FlowConfig:
    """The optical flow network; the fields that differ between PWC-Net and its light variant."""

    channels: tuple[int, ...]
    """Features per pyramid level, finest (half of the network's input size) first."""
    finest_level: int
    """The level, counted from 1, whose flow is the output: 2 means a quarter of the input size."""
    decoder: tuple[int, ...]
    """Features of the decoder's convolutions at every level."""
    downscale: int
    """The frame is shrunk by this factor before the pyramid."""


@dataclass(frozen=True)
class RestorationConfig:
    """The encoder-decoder; the fields that differ between the paper's and the light one."""

    channels: tuple[int, int, int]
    """Features at the three scales."""
    blocks: tuple[int, int, int]
    """Residual blocks per side (encoder, decoder) at those scales."""


@dataclass(frozen=True)
class NetworkConfig:
    """One cascade: which family it is of, and its shape."""

    preset: str
    flow: FlowConfig
    restoration: RestorationConfig
    prior: Prior = Prior.RELEASED
    use_flow: bool = True
    """False aligns nothing, the ablation without optical flow."""
    stages: int = 2
    """How often the stage is applied; an output frame depends on ``2 * stages + 1`` frames."""


PAPER = NetworkConfig(
    preset="paper",
    flow=FlowConfig(
        channels=(16, 32, 64, 96, 128, 196), finest_level=2, decoder=(128, 128, 96, 64, 32), downscale=1
    ),
    restoration=RestorationConfig(channels=(32, 64, 128), blocks=(3, 3, 3)),
)

# At most 40 kMAC per full-resolution pixel and stage (`python -m cascade.network.complexity` prints it), which two CPU
# cores can serve. Flow is estimated at half resolution and put out at a quarter of the frame's size. Four levels reach
# 128 px; a fifth, of 2x2 pixels in training crops, learned nothing that held on larger frames.
LITE = NetworkConfig(
    preset="lite",
    flow=FlowConfig(channels=(16, 24, 32, 48), finest_level=1, decoder=(48, 32, 24, 16), downscale=2),
    restoration=RestorationConfig(channels=(24, 48, 60), blocks=(1, 2, 2)),
)

PRESETS = {config.preset: config for config in (PAPER, LITE)}


def preset(name: str, **changes: Any) -> NetworkConfig:
    """The preset of that name, with fields replaced. Raises ValueError for an unknown name."""
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there are: {', '.join(sorted(PRESETS))}")
    return replace(PRESETS[name], **changes)


def to_dict(config: NetworkConfig) -> dict[str, Any]:
    """Plain values for a checkpoint: loadable with ``weights_only=True``."""
    plain = asdict(config)
    plain["prior"] = str(config.prior)
    return plain


def from_dict(plain: dict[str, Any]) -> NetworkConfig:
    """The inverse of `to_dict`. Raises TypeError or KeyError where fields are unknown or missing."""
    flow, restoration = dict(plain["flow"]), dict(plain["restoration"])
    for part, field in (
        (flow, "channels"),
        (flow, "decoder"),
        (restoration, "channels"),
        (restoration, "blocks"),
    ):
        part[field] = tuple(part[field])
    rest = {key: value for key, value in plain.items() if key not in ("flow", "restoration", "prior")}
    return NetworkConfig(
        flow=FlowConfig(**flow),
        restoration=RestorationConfig(**restoration),
        prior=Prior(plain["prior"]),
        **rest,
    )
