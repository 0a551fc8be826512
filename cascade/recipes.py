"""Training recipes: what is trained in which order, on what, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cascade.data.synthesis import SynthesisConfig


@dataclass(frozen=True)
class Phase:
    """One part of the cascaded training; learning rates follow a cosine from ``rate`` to ``final_rate``."""

    name: str
    steps: int
    batch: int
    frames: int
    """Frames per sample: 3 when only flow is trained, 5 for two stages."""
    crop: int
    """Side of the square samples, in pixels."""
    rate: float
    final_rate: float
    train_restoration: bool = True
    flow_weight: float = 1.0
    """Weight of the multi-scale end-point error beside the image losses."""
    hard_examples: float = 0.0
    """Weight of the hard-example L1 beside the plain L1; the released code uses 2."""
    displacement: float = 24.0
    """Largest motion between frames, in pixels: must fit the crop while the flow is young."""
    blur: tuple[float, float] = (1.0, 16.0)
    """Range of blur lengths in pixels."""
    warmup: int = 200

    def synthesis(self) -> SynthesisConfig:
        return replace(
            SynthesisConfig(),
            frames=self.frames,
            height=self.crop,
            width=self.crop,
            displacement=self.displacement,
            blur=self.blur,
        )


@dataclass(frozen=True)
class Recipe:
    """Phases in order, and what is common to them."""

    name: str
    preset: str
    phases: tuple[Phase, ...]
    bfloat16: bool = False
    """Convolutions in bfloat16 (about twice as fast on CPUs with AMX), weights and sums in float32."""
    ema_decay: float = 0.999
    """Decay per step of the averaged weights, which are what is validated and exported."""
    generated_share: float = 0.25
    """Share of generated pictures (dead leaves, text, edges) beside the photographs."""


LITE_CPU = Recipe(
    name="lite-cpu",
    preset="lite",
    bfloat16=True,
    phases=(
        Phase("flow", 4000, batch=6, frames=3, crop=128, rate=6e-4, final_rate=1e-4, train_restoration=False),
        Phase(
            "cascade",
            7000,
            batch=4,
            frames=5,
            crop=128,
            rate=4e-4,
            final_rate=1e-5,
            flow_weight=0.01,
            displacement=32.0,
            blur=(1.0, 24.0),
        ),
    ),
)

RECIPES = {recipe.name: recipe for recipe in (LITE_CPU,)}


@dataclass
class Progress:
    """Where a training stands: enough to go on with the next batch."""

    phase: int = 0
    step: int = 0
    """Steps done in this phase."""
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    """Validations so far: the learning curve."""
