"""Figures of an evaluation: blurred, restored and true frames, and what the network computed in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.data.image_file import write_image
from cascade.evaluation.protocol import Evaluation
from cascade.evaluation.windows import windows
from cascade.figures.comparison import (
    LabeledImage,
    flow_colors,
    heat_map,
    most_changed_region,
    side_by_side,
    stack,
)
from cascade.network.cascade import Cascade, pad_to_multiple

Frames = NDArray[np.uint8]

WIDTH = 480
"""Width of each column, in pixels: three of them fit a screen."""
_PALE_SHARE = 99
"""Percentile of the flow's length that gets full saturation: the longest few vectors are usually errors, and should
not pale all others."""


@dataclass(frozen=True, eq=False)
class FirstStageView:
    """What the first stage computes for a frame before it restores it, from the frames as they were given."""

    prior: NDArray[np.float32]
    """The temporal sharpness prior S, [H, W] in [0, 1]."""
    flow: NDArray[np.float32]
    """To the next frame, [H, W, 2] in pixels."""


def write_figures(folder: Path, evaluation: Evaluation, cascade: Cascade | None) -> None:
    """Draws the frames of `frames_to_show` as ``<video>_<number>.png`` into ``folder``. Raises OSError.

    With ``cascade``, which made them, the figures have a second row: its early stages, its prior and its flow.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in frames_to_show(evaluation):
        view = first_stage_view(cascade, evaluation.blurred, number) if cascade else None
        write_image(folder / f"{evaluation.name}_{number:05}.png", draw(evaluation, number, view))


def frames_to_show(evaluation: Evaluation) -> list[int]:
    """Returns the numbers of the most blurred frame and of the one that gained least: neither is chosen to please."""
    before = np.array([quality.psnr for quality in evaluation.qualities["input"]])
    after = np.array([quality.psnr for quality in evaluation.qualities["restored"]])
    chosen = {int(before.argmin()), int((after - before).argmin())}
    return sorted(evaluation.measured[index] for index in chosen)


def draw(evaluation: Evaluation, number: int, view: FirstStageView | None) -> Frames:
    """Draws the figure of one measured frame: uint8 [h, w, 3] RGB.

    Above are the blurred, the restored and the true frame; below, where the network is known, the stages before the
    last, S and the flow.
    """
    index = evaluation.measured.index(number)
    blurred, truth = evaluation.blurred[number], evaluation.sharp[number]
    images = {"input": blurred} | {key: frames[index] for key, frames in evaluation.stages.items()}
    columns = {key: LabeledImage(_title(evaluation, key, index), image) for key, image in images.items()}
    rows = [[columns.pop("input"), columns.pop("restored"), LabeledImage("truth", truth)]]
    if view:
        rows.append([*columns.values(), *view_columns(view)])
    region = most_changed_region(blurred, truth)
    return stack([side_by_side(row, region, WIDTH) for row in rows])


def first_stage_view(cascade: Cascade, video: Frames, number: int) -> FirstStageView:
    """Runs the first stage for frame ``number`` of ``video`` uint8 [N, H, W, 3] RGB."""
    (window,) = windows(video, range(number, number + 1), context=1)
    frames = torch.from_numpy(window).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        output = cascade.stage(pad_to_multiple(frames, cascade.multiple)[None])
    height, width = video.shape[1:3]
    flow = output.flow[1, 0, 0, :, :height, :width].permute(1, 2, 0).numpy()
    return FirstStageView(output.prior[0, 0, 0, :height, :width].numpy(), flow)


def view_columns(view: FirstStageView) -> list[LabeledImage]:
    """Returns the prior as a heat map and the flow in colors."""
    longest = float(np.percentile(np.linalg.norm(view.flow, axis=2), _PALE_SHARE))
    return [
        LabeledImage("prior S of stage 1: black 0, white 1", heat_map(view.prior)),
        LabeledImage(f"its flow to the next frame, up to {longest:.0f} px", flow_colors(view.flow, longest)),
    ]


def _title(evaluation: Evaluation, key: str, index: int) -> str:
    quality = evaluation.qualities[key][index]
    name = (
        f"blurred, frame {evaluation.measured[index]}" if key == "input" else key.replace("stage", "stage ")
    )
    return f"{name}: {quality.psnr:.2f} dB, {quality.ssim:.3f}"
