"""The loss that a phase of the training minimizes, term by term."""

from __future__ import annotations

from torch import Tensor

from cascade.network.cascade import Cascade, StageOutput
from cascade.training import losses
from cascade.training.phase import Phase
from cascade.training.samples import Batch, images


def loss_terms(
    cascade: Cascade, phase: Phase, batch: Batch, use_exact_flow: bool = False
) -> dict[str, Tensor]:
    """Returns the weighted terms, scalars by name; their sum is the loss.

    ``use_exact_flow`` aligns the frames by the samples' exact flow instead of the estimated one, where it is known.
    Raises ValueError when flow is to be trained on samples without exact flow.
    """
    frames = images(batch.blurred)
    if not phase.train_restoration:
        return {"flow": _flow_term(cascade, phase, frames, batch.flows)}
    known = batch.flows if use_exact_flow else None
    outputs = run_stages(cascade, frames, known, detach=phase.detach_stages)
    truth = images(batch.sharp)
    terms: dict[str, Tensor] = {}
    for number, output in enumerate(outputs, start=1):
        weight = _stage_weight(phase, number)
        terms |= _image_terms(phase, number, output.restored, truth[:, number:-number], weight)
        if phase.flow_weight and batch.flows is not None and output.flow_levels:
            levels = [level.flatten(0, 2) for level in output.flow_levels]
            inner = _inner(batch.flows, number).flatten(0, 2)
            terms[f"flow{number}"] = losses.multi_scale_end_point_error(levels, inner) * phase.flow_weight
    return terms


def run_stages(
    cascade: Cascade, frames: Tensor, flows: Tensor | None, detach: bool = False
) -> list[StageOutput]:
    """Runs as many stages as ``frames`` [B, N, 3, H, W] in [0, 1] suffice for: N = 2 * stages + 1.

    ``flows`` [2, B, N-2, 2, H, W] in pixels are used instead of the estimated ones; ``detach`` keeps each stage's
    loss from training the stages before it.
    """
    outputs = []
    for number in range(1, (frames.shape[1] - 1) // 2 + 1):
        output: StageOutput = cascade.stage(frames, None if flows is None else _inner(flows, number))
        outputs.append(output)
        frames = output.restored.detach() if detach else output.restored
    return outputs


def _inner(flows: Tensor, stage: int) -> Tensor:
    """Returns the flows of the frames that stage 1, 2, ... restores: one less at each end per stage."""
    return flows[:, :, stage - 1 : flows.shape[2] - stage + 1]


def _stage_weight(phase: Phase, number: int) -> float:
    """Returns 1 for the last stage and ``early_weight`` for others.

    With ``per_frame`` it is the stage's share of all restored frames: 3 of 4 and 1 of 4 for two stages.
    """
    counts = [phase.frames - 2 * k for k in range(1, (phase.frames - 1) // 2 + 1)]
    if phase.per_frame:
        return counts[number - 1] / sum(counts)
    return 1.0 if number == len(counts) else phase.early_weight


def _image_terms(
    phase: Phase, number: int, restored: Tensor, truth: Tensor, weight: float
) -> dict[str, Tensor]:
    terms = {f"stage{number}": losses.l1(restored, truth) * weight}
    if phase.hard_examples:
        terms[f"hard{number}"] = losses.hard_example_l1(restored, truth) * (phase.hard_examples * weight)
    if phase.fourier_weight:
        terms[f"fourier{number}"] = losses.fourier_l1(restored, truth) * (phase.fourier_weight * weight)
    if phase.psnr_weight:
        terms[f"psnr{number}"] = losses.decibels(restored, truth) * (phase.psnr_weight * weight)
    return terms


def _flow_term(cascade: Cascade, phase: Phase, frames: Tensor, flows: Tensor | None) -> Tensor:
    if flows is None:
        raise ValueError(f"Phase {phase.name!r} trains flow, which takes samples with exact flow.")
    prediction = cascade.stage.neighbor_flow(frames)
    error = losses.multi_scale_end_point_error(prediction.levels, flows.flatten(0, 2))
    return error * phase.flow_weight
