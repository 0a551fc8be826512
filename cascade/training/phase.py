"""One part of a training, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cascade.synthesis.synthesize import SynthesisConfig


@dataclass(frozen=True)
class Phase:
    """One part of the cascaded training. `schedule.learning_rate` says how the rate changes."""

    name: str
    steps: int
    batch: int
    frames: int
    """Frames per sample: 3 when only flow is trained, ``2 * stages + 1`` for a cascade."""
    crop: int
    """Side of the square samples, in pixels."""
    rate: float
    final_rate: float
    train_restoration: bool = True
    """Whether the cascade is trained end to end; else only flow is."""
    flow_weight: float = 1.0
    """Weight of the multi-scale end-point error beside the image losses, where the exact flow is known."""
    muon: bool = False
    """Whether the optimizer is Muon instead of Adam: fewer steps to the same loss (docs/training-log.md)."""
    hard_examples: float = 0.0
    """Weight of the hard-example L1 beside the plain L1; the released code uses 2."""
    displacement: float = 24.0
    """Largest motion between frames, in pixels: must fit the crop while the flow has learned little."""
    blur: tuple[float, float] = (1.0, 16.0)
    """Range of blur lengths, in pixels."""
    coded_share: float = 0.0
    """Share of the synthetic samples that go through H.264 or HEVC, as what cameras and messengers deliver did."""
    processed_share: float = 0.0
    """Share of the synthetic samples whose camera removes noise and sharpens, as phones do."""
    large_motion_share: float = 0.0
    """Share of the synthetic samples with blur up to 64 and motion up to 96 pixels; crops of 320 have room for it."""
    soft_share: float = 0.0
    """Share of the pieces of photographs that are hardly reduced, and soft."""
    color_order_share: float = 0.0
    """Share of the synthetic samples whose red, green and blue change places."""
    warmup: int = 200
    """Steps in which the rate rises from nothing."""
    halve_every: int = 0
    """Steps after which the rate is halved, again and again; 0 is a cosine from ``rate`` to ``final_rate``."""
    in_epochs: bool = False
    """Whether ``steps`` and ``halve_every`` count epochs: each run of adjacent frames in the paired videos once."""
    flow_rate: float | None = None
    """Learning rate of the flow network, which changes as the other does; None is the same rate."""
    paired_share: float = 0.0
    """Share of the batches that come from paired videos; the others are synthetic."""
    exact_flow_share: float = 0.0
    """Share of the batches whose frames are aligned by the exact flow, while the estimate has learned little."""
    fourier_weight: float = 0.0
    """Weight of the L1 between spectra beside the plain L1."""
    psnr_weight: float = 0.0
    """Weight of the negative PSNR, in dB, beside the plain L1; 0.01 pulls about as strongly as the L1."""
    per_frame: bool = False
    """Whether every restored frame counts alike, as published; else every stage does."""
    early_weight: float = 1.0
    """Weight of the stages before the last one, whose frames are the result; not with ``per_frame``."""
    detach_stages: bool = False
    """Whether no stage's loss trains the stages before it: the ablation of joint training."""

    def synthesis(self) -> SynthesisConfig:
        """Returns what this phase's synthetic samples are like."""
        return replace(
            SynthesisConfig(),
            frames=self.frames,
            height=self.crop,
            width=self.crop,
            displacement=self.displacement,
            blur=self.blur,
            coded_share=self.coded_share,
            processed_share=self.processed_share,
            large_motion_share=self.large_motion_share,
            soft_share=self.soft_share,
            color_order_share=self.color_order_share,
        )

    def with_epochs_of(self, steps: int) -> Phase:
        """Returns the same phase with its lengths in steps, for epochs of ``steps`` steps."""
        if not self.in_epochs:
            return self
        return replace(self, steps=self.steps * steps, halve_every=self.halve_every * steps, in_epochs=False)
