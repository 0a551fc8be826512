"""Describes what a network is made of. Saved inside our checkpoints, so that a file alone rebuilds its network."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

PWC_RADIUS = 4
"""Largest displacement, in pixels, that PWC-Net's cost volume compares at every level."""


class Prior(StrEnum):
    """How the temporal sharpness prior S is computed from the aligned neighbors."""

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
    radius: tuple[int, ...]
    """Largest displacement that the cost volume compares, per level as ``channels``, in pixels of the level's grid."""


@dataclass(frozen=True)
class RestorationConfig:
    """The encoder-decoder; the fields that differ between the paper's and the light one."""

    channels: tuple[int, int, int]
    """Features at the three scales."""
    blocks: tuple[int, int, int]
    """Residual blocks per side (encoder, decoder) at those scales."""
    along_at_half: bool = False
    """Whether the light network samples the center frame along its motion at half resolution, rather than at full."""


@dataclass(frozen=True)
class NetworkConfig:
    """One cascade: which family it is of, and its shape."""

    preset: str
    """``paper`` builds the published network, every other name the light family."""
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
        channels=(16, 32, 64, 96, 128, 196),
        finest_level=2,
        decoder=(128, 128, 96, 64, 32),
        downscale=1,
        radius=(PWC_RADIUS,) * 6,
    ),
    restoration=RestorationConfig(channels=(32, 64, 128), blocks=(3, 3, 3)),
)

# Flow of the light networks is estimated at half resolution and put out at a quarter of the frame's size. Four levels
# reach 128 px; a fifth, of 2x2 pixels in training crops, learned nothing that held on larger frames. The coarse levels
# find large displacements, so the fine ones, where a cost volume costs most, compare fewer. Channels are multiples of
# 16, in which CPU kernels compute: 24 would cost as much as 32.
LITE = NetworkConfig(
    preset="lite",
    flow=FlowConfig(
        channels=(16, 32, 32, 48),
        finest_level=1,
        decoder=(48, 32, 32, 16),
        downscale=2,
        radius=(2, 3, 4, 4),
    ),
    restoration=RestorationConfig(channels=(32, 48, 64), blocks=(1, 2, 2), along_at_half=True),
)

BASE = NetworkConfig(
    preset="base",
    flow=FlowConfig(
        channels=(32, 48, 64, 96),
        finest_level=1,
        decoder=(96, 64, 48, 32),
        downscale=2,
        radius=(2, 3, 4, 4),
    ),
    restoration=RestorationConfig(channels=(64, 128, 160), blocks=(2, 3, 3), along_at_half=True),
)

PRESETS = {config.preset: config for config in (PAPER, LITE, BASE)}


def preset(name: str, **changes: Any) -> NetworkConfig:
    """Returns the preset of that name, with fields replaced. Raises ValueError for an unknown name."""
    if name not in PRESETS:
        raise ValueError(f"There is no preset {name!r}; there are: {', '.join(sorted(PRESETS))}.")
    return replace(PRESETS[name], **changes)


def to_dict(config: NetworkConfig) -> dict[str, Any]:
    """Returns plain values for a checkpoint: loadable with ``weights_only=True``."""
    plain = asdict(config)
    plain["prior"] = str(config.prior)
    return plain


def from_dict(plain: dict[str, Any]) -> NetworkConfig:
    """Inverts `to_dict`. Raises TypeError or KeyError where fields are unknown or missing.

    Takes what checkpoints of earlier versions hold, too: their networks compared displacements of 4 pixels at every
    level and sampled along the motion at full resolution.
    """
    flow = {"radius": (PWC_RADIUS,) * len(plain["flow"]["channels"])} | plain["flow"]
    rest = {key: value for key, value in plain.items() if key not in ("flow", "restoration", "prior")}
    return NetworkConfig(
        flow=FlowConfig(**_with_tuples(flow)),
        restoration=RestorationConfig(**_with_tuples(plain["restoration"])),
        prior=Prior(plain["prior"]),
        **rest,
    )


def _with_tuples(plain: dict[str, Any]) -> dict[str, Any]:
    """Returns ``plain`` with tuples for lists, which is what JSON makes of them."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
