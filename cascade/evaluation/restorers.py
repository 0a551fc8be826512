"""Everything that can be evaluated, behind one kind of function: a cascade, an exported graph, the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.evaluation.baselines import best_unsharp, burst_restorer
from cascade.evaluation.metrics import quantize
from cascade.evaluation.onnx_session import open_session
from cascade.network import checkpoint
from cascade.network.cascade import Cascade, pad_to_multiple

Frames = NDArray[np.uint8]
Restorer = Callable[[Frames, range], list[Frames]]
"""Whole video uint8 [N, H, W, 3] RGB and the numbers of the T frames wanted, to their uint8 [T, H, W, 3] after each
stage, the result last."""
Fitting = Callable[[Frames, Frames, range], Restorer]
"""Blurred and sharp video and the measured frames, to the restorer: one that may be tuned to them (`best_unsharp`)."""

_WINDOW = 8
"""Frames restored at once: longer windows repeat less work and hold more memory."""


@dataclass(frozen=True)
class Model:
    """A restorer for each video, and the network where there is one to look into."""

    fit: Fitting
    cascade: Cascade | None = None


def load(name: str, repository: Path) -> Model:
    """``burst``, ``unsharp``, a model's name in ``repository``, or a checkpoint's path.

    Raises FileNotFoundError or CheckpointError.
    """
    exported = repository / name / "1" / "model.onnx"
    if name == "unsharp":
        return Model(best_unsharp)
    if name == "burst":
        return Model(_always(burst_restorer))
    if exported.is_file():
        return Model(_always(onnx_restorer(exported)))
    cascade = checkpoint.load(Path(name))
    return Model(_always(pytorch_restorer(cascade)), cascade)


def pytorch_restorer(cascade: Cascade) -> Restorer:
    """Runs a cascade of any number of stages and shows them all."""
    stages = cascade.config.stages

    def restore(video: Frames, wanted: range) -> list[Frames]:
        parts = [_run_stages(cascade, window) for window in windows(video, wanted, stages)]
        return [np.concatenate(stage) for stage in zip(*parts, strict=True)]

    return restore


def onnx_restorer(path: Path) -> Restorer:
    """Runs an exported graph as it is served; its stages in between stay inside."""
    session = open_session(path)
    stages = _exported_stages(path)

    def restore(video: Frames, wanted: range) -> list[Frames]:
        results = [session.run(None, {"frames": window})[0] for window in windows(video, wanted, stages)]
        return [np.concatenate(results)]

    return restore


def windows(video: Frames, wanted: range, context: int) -> Iterator[Frames]:
    """Runs of the ``wanted`` consecutive frames with ``context`` more on each side, mirrored at the video's ends."""
    mirrored = np.pad(np.arange(len(video)), context, mode="reflect")
    for start in range(wanted.start, wanted.stop, _WINDOW):
        stop = min(start + _WINDOW, wanted.stop)
        yield video[mirrored[start : stop + 2 * context]]


def _run_stages(cascade: Cascade, window: Frames) -> list[Frames]:
    """Every stage's output for the window's inner frames."""
    stages, (height, width) = cascade.config.stages, window.shape[1:3]
    frames = torch.from_numpy(window).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        outputs = cascade(pad_to_multiple(frames, cascade.multiple)[None])
    pictures = []
    for early, output in zip(reversed(range(stages)), outputs, strict=True):
        inner = output.restored[0, early : output.restored.shape[1] - early, :, :height, :width]
        pictures.append(quantize(inner.permute(0, 2, 3, 1).numpy()))
    return pictures


def _exported_stages(path: Path) -> int:
    """What the description beside an exported graph says."""
    description = path.parent.parent / "model.json"
    return int(json.loads(description.read_text())["stages"])


def _always(restore: Restorer) -> Fitting:
    def fit(_blurred: Frames, _sharp: Frames, _measured: range) -> Restorer:
        return restore

    return fit
