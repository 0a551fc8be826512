"""Training recipes: what is trained in which order, on what, for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cascade.network.config import NetworkConfig, Prior, preset
from cascade.training.phase import Phase


@dataclass(frozen=True)
class Recipe:
    """Phases in order, and what is common to them. Checkpoints keep the name: it says which recipe resumes them."""

    name: str
    preset: str
    phases: tuple[Phase, ...]
    stages: int = 2
    prior: Prior = Prior.RELEASED
    use_flow: bool = True
    """Whether neighbors are aligned by flow; else they are taken as they are."""
    bfloat16: bool = False
    """Whether precision is mixed: convolutions in bfloat16 (GPUs, and CPUs with AMX), weights and sums in float32."""
    ema_decay: float = 0.999
    """Decay per step of the averaged weights, which are what is validated and exported; 0 averages nothing."""
    max_norm: float = 1.0
    """Norm that gradients are clipped to: those of single strongly blurred samples would undo many steps."""
    generated_share: float = 0.35
    """Share of generated pictures (dead leaves, text, edges) beside the photographs."""
    timed: bool = False
    """Whether networks are trained side by side for a time, on samples that are drawn again and again, instead of one
    network for the steps of its phases."""

    @property
    def network(self) -> NetworkConfig:
        """Returns the network that this recipe trains."""
        return preset(self.preset, stages=self.stages, prior=self.prior, use_flow=self.use_flow)


# Small crops first, since a step is cheap while everything is wrong; then large ones, without which the coarse flow
# levels do not learn what larger frames need (docs/training-log.md).
LITE_CPU = Recipe(
    name="lite-cpu",
    preset="lite",
    bfloat16=True,
    phases=(
        Phase("flow", 4000, batch=6, frames=3, crop=128, rate=6e-4, final_rate=1e-4, train_restoration=False),
        Phase(
            "flow-large",
            1000,
            batch=2,
            frames=3,
            crop=320,
            rate=4e-4,
            final_rate=1e-4,
            train_restoration=False,
            displacement=48.0,
            blur=(1.0, 28.0),
        ),
        Phase(
            "cascade",
            4000,
            batch=4,
            frames=5,
            crop=128,
            rate=2e-3,
            final_rate=1e-3,
            muon=True,
            flow_weight=0.01,
            displacement=32.0,
            blur=(1.0, 24.0),
        ),
        Phase(
            "cascade-large",
            5000,
            batch=3,
            frames=5,
            crop=192,
            rate=1.5e-3,
            final_rate=2e-6,
            muon=True,
            flow_weight=0.01,
            fourier_weight=1.0,
            displacement=36.0,
            blur=(1.0, 26.0),
        ),
        Phase(
            "cascade-psnr",
            5000,
            batch=3,
            frames=5,
            crop=192,
            rate=1e-3,
            final_rate=2e-6,
            warmup=50,
            muon=True,
            flow_weight=0.02,
            psnr_weight=0.02,
            early_weight=0.5,
            displacement=36.0,
            blur=(1.0, 22.0),
        ),
    ),
)

# As published (section 4): patches of 256, batches of 8, Adam at 1e-4 halved every 200 of 500 epochs, flow from
# pretrained weights (--init or --init-flow) at 1e-6, L1 on the three frames of stage 1 and the one of stage 2.
PAPER = Recipe(
    name="paper",
    preset="paper",
    bfloat16=True,
    ema_decay=0.0,
    max_norm=math.inf,
    phases=(
        Phase(
            "cascade",
            500,
            in_epochs=True,
            batch=8,
            frames=5,
            crop=256,
            rate=1e-4,
            final_rate=0.0,
            flow_rate=1e-6,
            flow_weight=0.0,
            warmup=0,
            halve_every=200,
            paired_share=1.0,
            per_frame=True,
        ),
    ),
)

# The released code's loss: twice a hard-example L1 beside the plain one.
PAPER_HARD = replace(
    PAPER, name="paper-hard", phases=tuple(replace(phase, hard_examples=2.0) for phase in PAPER.phases)
)

# A minute on one core shows that a machine, a folder of pictures and an installation can train. It teaches nothing.
SMOKE = replace(
    LITE_CPU,
    name="smoke",
    bfloat16=False,
    generated_share=0.0,
    phases=tuple(
        replace(phase, steps=12, batch=1, crop=64, displacement=8.0, blur=(1.0, 6.0), warmup=2)
        for phase in LITE_CPU.phases
        if phase.name in ("flow", "cascade")
    ),
)

# A trained network is trained on for minutes on a GPU. Rates are those of `TRAINED_RATES`, where there is one.
GPU = Recipe(
    name="gpu",
    preset="lite",
    bfloat16=True,
    timed=True,
    phases=(
        Phase(
            "cascade",
            0,
            batch=12,
            frames=5,
            crop=320,
            rate=1e-3,
            final_rate=2e-6,
            warmup=20,
            muon=True,
            flow_weight=0.02,
            psnr_weight=0.02,
            early_weight=0.5,
            displacement=40.0,
            blur=(1.0, 24.0),
            coded_share=0.65,
            processed_share=0.2,
            large_motion_share=0.4,
            soft_share=0.1,
            color_order_share=1.0,
        ),
    ),
)

TRAINED_RATES = {"lite": 6e-4, "base": 1e-3}
"""Highest rates for networks that are trained already, by preset: at 1e-3 and 1.5e-3 their loss rose before it fell."""

RECIPES = {recipe.name: recipe for recipe in (LITE_CPU, PAPER, PAPER_HARD, SMOKE, GPU)}
