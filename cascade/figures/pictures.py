"""Pictures of an evaluation: blurred, restored and true frames, and what the network saw in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.evaluation.protocol import Evaluated
from cascade.evaluation.restorers import windows
from cascade.figures.comparison import (
    Panel,
    flow_colours,
    heat_map,
    most_telling_detail,
    side_by_side,
    stacked,
    write_image,
)
from cascade.network.cascade import Cascade, pad_to_multiple

Frames = NDArray[np.uint8]

WIDTH = 480
"""Of each column, in pixels: three of them fit a screen."""


@dataclass(frozen=True)
class Insight:
    """What the first stage computes for a frame before it restores it, from the frames as they were given."""

    prior: NDArray[np.float32]
    """The temporal sharpness prior S, [H, W] in [0, 1]."""
    flow: NDArray[np.float32]
    """To the next frame, [H, W, 2] in pixels."""


def write_pictures(folder: Path, evaluated: Evaluated, cascade: Cascade | None) -> None:
    """Draw the telling frames as ``<video>_<number>.png``. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in telling_frames(evaluated):
        insight = look_inside(cascade, evaluated.blurred, number) if cascade else None
        write_image(folder / f"{evaluated.name}_{number:05}.png", draw(evaluated, number, insight))


def telling_frames(evaluated: Evaluated) -> list[int]:
    """Numbers of the most blurred frame and of the one that gained least: neither is chosen to please."""
    before = np.array([quality.psnr for quality in evaluated.qualities["input"]])
    after = np.array([quality.psnr for quality in evaluated.qualities["restored"]])
    chosen = {int(before.argmin()), int((after - before).argmin())}
    return sorted(evaluated.measured[index] for index in chosen)


def draw(evaluated: Evaluated, number: int, insight: Insight | None) -> Frames:
    """The picture of one measured frame, uint8 [h, w, 3] RGB.

    Above: blurred, restored, truth. Below, where the network is known: the stages before the last, S and flow.
    """
    index = evaluated.measured.index(number)
    blurred, truth = evaluated.blurred[number], evaluated.sharp[number]
    images = {"input": blurred} | {key: frames[index] for key, frames in evaluated.stages.items()}
    panels = {key: Panel(_title(evaluated, key, index), image) for key, image in images.items()}
    rows = [[panels.pop("input"), panels.pop("restored"), Panel("truth", truth)]]
    if insight:
        rows.append([*panels.values(), *_insight_panels(insight)])
    detail = most_telling_detail(blurred, truth)
    return stacked([side_by_side(row, detail, WIDTH) for row in rows])


def look_inside(cascade: Cascade, video: Frames, number: int) -> Insight:
    """What the first stage computes for frame ``number`` of ``video`` uint8 [N, H, W, 3] RGB."""
    (window,) = windows(video, range(number, number + 1), context=1)
    frames = torch.from_numpy(window).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        output = cascade.stage(pad_to_multiple(frames, cascade.multiple)[None])
    height, width = video.shape[1:3]
    flow = output.flow[1, 0, 0, :, :height, :width].permute(1, 2, 0).numpy()
    return Insight(output.prior[0, 0, 0, :height, :width].numpy(), flow)


def _insight_panels(insight: Insight) -> list[Panel]:
    # The longest few vectors are usually errors; they should not pale all others.
    longest = float(np.percentile(np.linalg.norm(insight.flow, axis=2), 99))
    return [
        Panel("prior S of stage 1: black 0, white 1", heat_map(insight.prior)),
        Panel(f"its flow to the next frame, up to {longest:.0f} px", flow_colours(insight.flow, longest)),
    ]


def _title(evaluated: Evaluated, key: str, index: int) -> str:
    quality = evaluated.qualities[key][index]
    name = f"blurred, frame {evaluated.measured[index]}" if key == "input" else key.replace("stage", "stage ")
    return f"{name}: {quality.psnr:.2f} dB, {quality.ssim:.3f}"
