"""Draws training samples to look at: ``python -m cascade.figures.contact_sheet --photos DIR --output sheet.png``.

Every sample is three rows of frames: blurred, sharp, and the exact flow to the next frame in colors (hue is
the direction, saturation the length).
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.data.image_file import write_image
from cascade.data.photographs import DEFAULT_FOLDERS, load_photographs
from cascade.data.picture_mix import mix_pictures
from cascade.evaluation.metrics import psnr
from cascade.figures.comparison import flow_colors
from cascade.synthesis.synthesize import Sample, SynthesisConfig, synthesize

logger = logging.getLogger(__name__)

GAP = 4
"""White between frames, in pixels."""
_MOST_DB = 99
"""Shown for frames that are equal to their truth, whose PSNR is infinite."""


def sample_rows(sample: Sample) -> NDArray[np.uint8]:
    """Draws the three rows of one sample: uint8 [h, w, 3] RGB.

    Each blurred frame is labeled with its PSNR, the row of flows with the length of the longest vector.
    """
    longest = float(np.linalg.norm(sample.flow_next, axis=-1).max(initial=0.0))
    blurred = [
        _label(frame, f"{min(psnr(frame, truth), _MOST_DB):.1f} dB")
        for frame, truth in zip(sample.blurred, sample.sharp, strict=True)
    ]
    flows = [flow_colors(flow, longest) for flow in sample.flow_next]
    legend = _label(np.full_like(sample.sharp[0], 255), f"{longest:.0f} px")
    return np.concatenate([_row(blurred), _row(sample.sharp), _row([*flows, legend])])


def contact_sheet(samples: Sequence[Sample], columns: int) -> NDArray[np.uint8]:
    """Draws all samples, ``columns`` of them side by side: uint8 [h, w, 3] RGB."""
    tiles = [sample_rows(sample) for sample in samples]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def _row(frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    padded = [np.pad(frame, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for frame in frames]
    return np.concatenate(padded, axis=1)


def _label(frame: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Writes ``text`` in white with a black edge on a copy of the frame."""
    copy = frame.copy()
    for ink, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(copy, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, ink, thickness, cv2.LINE_AA)
    return copy


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _write_sheet(options)
    except (OSError, ValueError) as error:
        sys.exit(f"contact_sheet: {error}")


def _write_sheet(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(options.seed)
    photos = [photograph.pixels for photograph in load_photographs(options.photos)]
    pictures = mix_pictures(photos, options.generated, rng)
    config = SynthesisConfig(height=options.side, width=options.side)
    samples = [synthesize(pictures, config, rng) for _ in range(options.samples)]
    write_image(options.output, contact_sheet(samples, options.columns))
    logger.info("Photographs: %d. Samples: %d, drawn in %s.", len(photos), len(samples), options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.figures.contact_sheet", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, nargs="+", default=list(DEFAULT_FOLDERS), help="folders of sharp photographs"
    )
    parser.add_argument("--output", type=Path, required=True, help="the picture, PNG or JPEG")
    parser.add_argument("--samples", type=int, default=12, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--side", type=int, default=160, help="height and width of the frames, in pixels")
    parser.add_argument("--columns", type=int, default=2, help="samples side by side")
    parser.add_argument("--generated", type=float, default=0.35, help="share of generated pictures")
    return parser


if __name__ == "__main__":
    main()
