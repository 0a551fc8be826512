"""``python -m cascade.figures.contact_sheet --photos DIR --output sheet.png``: samples to look at.

Every sample is three rows of frames: blurred, sharp, and the exact flow to the next frame in colours (hue is
the direction, saturation the length).
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.data.material import mix_material
from cascade.data.photographs import DEFAULT_FOLDERS, load_photographs
from cascade.evaluation.metrics import psnr
from cascade.figures.comparison import flow_colours, write_image
from cascade.synthesis.synthesize import Sample, SynthesisConfig, synthesize

logger = logging.getLogger(__name__)

GAP = 4


def sample_rows(sample: Sample) -> NDArray[np.uint8]:
    """The three rows of one sample; each blurred frame has its PSNR, the flow row its longest vector."""
    longest = float(np.linalg.norm(sample.flow_next, axis=-1).max(initial=0.0))
    blurred = [
        _labelled(frame, f"{min(psnr(frame, truth), 99):.1f} dB")
        for frame, truth in zip(sample.blurred, sample.sharp, strict=True)
    ]
    flows = [flow_colours(flow, longest) for flow in sample.flow_next]
    legend = _labelled(np.full_like(sample.sharp[0], 255), f"{longest:.0f} px")
    return np.concatenate([_row(blurred), _row(sample.sharp), _row([*flows, legend])])


def contact_sheet(samples: Sequence[Sample], columns: int) -> NDArray[np.uint8]:
    """All samples, ``columns`` of them side by side."""
    tiles = [sample_rows(sample) for sample in samples]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def _row(frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    padded = [np.pad(frame, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for frame in frames]
    return np.concatenate(padded, axis=1)


def _labelled(frame: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    labelled = frame.copy()
    for ink, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(labelled, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, ink, thickness, cv2.LINE_AA)
    return labelled


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rng = np.random.default_rng(options.seed)
    photos = [photograph.pixels for photograph in load_photographs(options.photos)]
    material = mix_material(photos, options.generated, rng)
    config = SynthesisConfig(height=options.side, width=options.side)
    samples = [synthesize(material, config, rng) for _ in range(options.samples)]
    sheet = contact_sheet(samples, options.columns)
    try:
        write_image(options.output, sheet)
    except OSError as error:
        raise SystemExit(str(error)) from error
    logger.info("%d samples of %d photographs: %s", len(samples), len(photos), options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.figures.contact_sheet", description=__doc__)
    parser.add_argument("--photos", type=Path, nargs="+", default=list(DEFAULT_FOLDERS))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=160, help="height and width of the frames")
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--generated", type=float, default=0.35, help="share of generated pictures")
    return parser


if __name__ == "__main__":
    main()
