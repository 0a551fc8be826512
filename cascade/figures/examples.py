"""Draws examples of a network's work: ``python -m cascade.figures.examples --model CHECKPOINT --output examples.jpg``.

Three clips are synthesized, always the same ones: a camera in the hand over two free photographs that come with
scikit-image (coffee, CC0, and an astronaut, public domain), and a drawn scene whose layers move by themselves. None of
them was trained on. Each clip has a row for its most blurred frame: blurred, restored, truth, and where ``--model`` is
a checkpoint the prior and the flow; whole, and below enlarged where blur changed it most.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut, coffee

from cascade.data.clips import Clip
from cascade.data.image_file import write_image
from cascade.evaluation.looks import LOOKS
from cascade.evaluation.protocol import Evaluation, evaluate_clip
from cascade.evaluation.restorers import Model, load
from cascade.figures.comparison import LabeledImage, most_changed_region, side_by_side, stack
from cascade.figures.evaluation_figure import first_stage_view, view_columns
from cascade.synthesis.demo_clip import render_demo_clip
from cascade.synthesis.man_made import man_made_picture
from cascade.synthesis.synthesize import SynthesisConfig, synthesize

Picture = NDArray[np.uint8]

WIDTH = 320
"""Width of each column, in pixels: five of them fit a page."""
DRAWN_SIZE = (720, 1080)
"""Height and width of the drawn picture, in pixels."""


def example_clips(frames: int, height: int) -> list[Clip]:
    """Makes the three clips of ``frames`` frames, 16 by 9, ``height`` pixels high."""
    size = (height, round(height * 4 / 9) * 4)
    photographs = {"coffee": coffee(), "astronaut": astronaut()}  # type: ignore[no-untyped-call]
    clips = [_hand_held(name, picture, frames, size) for name, picture in photographs.items()]
    return [*clips, _drawn(frames, size)]


def draw_examples(evaluations: Sequence[Evaluation], model: Model) -> Picture:
    """Draws the most blurred frame of every clip, and what ``model`` computed for it: uint8 [h, w, 3] RGB."""
    return stack([_row(evaluation, model) for evaluation in evaluations])


def _hand_held(name: str, picture: Picture, frames: int, size: tuple[int, int]) -> Clip:
    return Clip(name, *render_demo_clip(picture, frames, *size), synthetic=True)


def _drawn(frames: int, size: tuple[int, int]) -> Clip:
    """Makes an ordinary sample, without noise and compression."""
    rng = np.random.default_rng(0)
    config = SynthesisConfig(frames, *size, noise=0.0, compressed_share=0.0)
    sample = synthesize([man_made_picture(DRAWN_SIZE, rng)], config, rng)
    return Clip("drawn", sample.blurred, sample.sharp, synthetic=True)


def _row(evaluation: Evaluation, model: Model) -> Picture:
    given, restored = evaluation.qualities["input"], evaluation.qualities["restored"]
    index = int(np.argmin([quality.psnr for quality in given]))
    number = evaluation.measured[index]
    blurred, truth = evaluation.blurred[number], evaluation.sharp[number]
    columns = [
        LabeledImage(f"blurred: {given[index].psnr:.1f} dB", blurred),
        LabeledImage(f"restored: {restored[index].psnr:.1f} dB", evaluation.stages["restored"][index]),
        LabeledImage("truth", truth),
    ]
    if model.cascade:
        columns += view_columns(first_stage_view(model.cascade, evaluation.blurred, number))
    return side_by_side(columns, most_changed_region(blurred, truth), WIDTH)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        model = load(options.model, options.repository, options.looks)
        evaluations = [
            evaluate_clip(clip, model.fit) for clip in example_clips(options.frames, options.height)
        ]
        write_image(options.output, draw_examples(evaluations, model))
    except (OSError, ValueError) as error:
        sys.exit(f"examples: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.figures.examples", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="as for cascade.evaluate; only a checkpoint shows prior and flow"
    )
    parser.add_argument(
        "--repository", type=Path, default=Path("model_repository"), help="folder of exported models"
    )
    parser.add_argument("--looks", type=int, choices=sorted(LOOKS), default=1, help="as for cascade.evaluate")
    parser.add_argument("--frames", type=int, default=9, help="frames of each clip")
    parser.add_argument(
        "--height",
        type=int,
        default=240,
        help="height of the frames in pixels; the photographs are not much larger than the default",
    )
    parser.add_argument("--output", type=Path, required=True, help="the picture, PNG or JPEG")
    return parser


if __name__ == "__main__":
    main()
