"""The paper's evaluation protocol: ``python -m cascade.evaluate --data DIR --model NAME_OR_CHECKPOINT``.

Every frame of every video but the two at each end; frames cropped right and bottom to multiples of 4; the result
rounded and clamped to 8 bits; 4 pixels cropped on each side; PSNR and SSIM averaged over all frames of all videos.
``--model`` is a checkpoint (ours or a released one), or the name of a model in the repository, which then runs in
ONNX Runtime as it is served and shows no intermediate stage.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade import checkpoint, validation
from cascade.cascade import Cascade, pad_to_multiple
from cascade.data.folders import PairingError
from cascade.data.photographs import load_photographs, split_photographs
from cascade.metrics import Quality, crop_to_multiple, measure, quantize
from cascade.runtime import open_session

Frames = NDArray[np.uint8]
Restorer = Callable[[Frames], list[Frames]]
"""uint8 [T+4, H, W, 3] to the stages' outputs for the T inner frames, the result last: uint8 [T, H, W, 3] each."""

CONTEXT = 2
"""Frames at each end that have no restored counterpart."""
_WINDOW = 8


@dataclass(frozen=True)
class VideoScore:
    """Means over a video's measured frames."""

    name: str
    frames: int
    seconds_per_frame: float
    qualities: dict[str, Quality]
    """"input", "stage1" (PyTorch only) and "restored"."""


def pytorch_restorer(cascade: Cascade) -> Restorer:
    """Runs a cascade of two stages and shows both."""

    def restore(window: Frames) -> list[Frames]:
        frames = torch.from_numpy(window).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            padded = pad_to_multiple(frames, cascade.multiple)
            outputs = [output.restored[0] for output in cascade(padded[None])]
        inner = [output[CONTEXT - k : len(output) - CONTEXT + k] for k, output in enumerate(outputs, start=1)]
        height, width = window.shape[1:3]
        return [quantize(o[..., :height, :width].permute(0, 2, 3, 1).numpy()) for o in inner]

    return restore


def onnx_restorer(path: Path) -> Restorer:
    """Runs an exported graph."""
    session = open_session(path)

    def restore(window: Frames) -> list[Frames]:
        return list(session.run(None, {"frames": window}))

    return restore


def evaluate_video(name: str, blurred: Frames, sharp: Frames, restore: Restorer) -> VideoScore:
    """Score one video of at least five frames, uint8 [N, H, W, 3]."""
    blurred, sharp = crop_to_multiple(blurred), crop_to_multiple(sharp)
    start = time.perf_counter()
    stages = [np.concatenate(parts) for parts in zip(*map(restore, _windows(blurred)), strict=True)]
    seconds = time.perf_counter() - start
    inner = slice(CONTEXT, len(blurred) - CONTEXT)
    candidates = {"input": blurred[inner], "restored": stages[-1]}
    candidates |= {f"stage{number}": frames for number, frames in enumerate(stages[:-1], start=1)}
    qualities = {key: _mean([*map(measure, frames, sharp[inner])]) for key, frames in candidates.items()}
    return VideoScore(name, len(stages[-1]), seconds / len(stages[-1]), qualities)


def total(scores: Sequence[VideoScore]) -> dict[str, Quality]:
    """Means over all frames of all videos."""
    frames = [score.frames for score in scores]
    return {
        key: Quality(
            float(np.average([score.qualities[key].psnr for score in scores], weights=frames)),
            float(np.average([score.qualities[key].ssim for score in scores], weights=frames)),
        )
        for key in scores[0].qualities
    }


def as_json(scores: Sequence[VideoScore]) -> str:
    """``videos[{name, frames, seconds_per_frame, input{psnr,ssim}, ...}]`` and ``total{...}``."""
    videos = [
        {"name": s.name, "frames": s.frames, "seconds_per_frame": s.seconds_per_frame}
        | {key: asdict(quality) for key, quality in s.qualities.items()}
        for s in scores
    ]
    totals = {key: asdict(quality) for key, quality in total(scores).items()}
    return json.dumps({"videos": videos, "total": totals}, indent=2)


def _windows(frames: Frames) -> Iterator[Frames]:
    for start in range(0, len(frames) - 2 * CONTEXT, _WINDOW):
        yield frames[start : start + _WINDOW + 2 * CONTEXT]


def _mean(qualities: Sequence[Quality]) -> Quality:
    return Quality(
        float(np.mean([quality.psnr for quality in qualities])),
        float(np.mean([quality.ssim for quality in qualities])),
    )


def _table(scores: Sequence[VideoScore]) -> str:
    rows = [(score.name, score.frames, score.qualities) for score in scores]
    rows.append(("total", sum(score.frames for score in scores), total(scores)))
    lines = [
        "| video | frames | blurred PSNR / SSIM | restored PSNR / SSIM | gain |",
        "|---|---|---|---|---|",
    ]
    for name, frames, q in rows:
        given, result = q["input"], q["restored"]
        gain = f"{result.psnr - given.psnr:+.2f} dB, {result.ssim - given.ssim:+.3f}"
        pair = [f"{quality.psnr:.2f} / {quality.ssim:.3f}" for quality in (given, result)]
        lines.append(f"| {name} | {frames} | {pair[0]} | {pair[1]} | {gain} |")
    return "\n".join(lines)


def main() -> None:
    arguments = _parser().parse_args()
    try:
        if arguments.data:
            clips = [*validation.paired_clips(arguments.data)]
        else:
            _, held_out = split_photographs(load_photographs(arguments.photos))
            clips = [*validation.synthetic_clips(held_out)]
        restore = _restorer(arguments.model, arguments.repository)
    except (FileNotFoundError, PairingError, checkpoint.CheckpointError) as error:
        sys.exit(f"evaluate: {error}")
    scores = [evaluate_video(name, blurred, sharp, restore) for name, blurred, sharp in clips]
    print(_table(scores))  # noqa: T201
    if arguments.json:
        arguments.json.write_text(as_json(scores) + "\n")


def _restorer(model: str, repository: Path) -> Restorer:
    exported = repository / model / "1" / "model.onnx"
    return onnx_restorer(exported) if exported.is_file() else pytorch_restorer(checkpoint.load(Path(model)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.evaluate", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="paired folder: blur/<video>/*.png and gt/<video>/*.png")
    source.add_argument(
        "--photos", type=Path, nargs="+", help="score synthetic clips of these folders' held-out share"
    )
    parser.add_argument("--model", required=True, help="a checkpoint, or a model's name in the repository")
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser


if __name__ == "__main__":
    main()
