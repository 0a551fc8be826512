"""Everything that can be evaluated, behind one kind of function: a cascade, an exported graph, the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.evaluation.baselines import best_unsharp, burst_restorer
from cascade.evaluation.looks import WindowRestorer, several_looks
from cascade.evaluation.metrics import quantize
from cascade.evaluation.onnx_session import open_session
from cascade.evaluation.windows import windows
from cascade.network import checkpoint
from cascade.network.cascade import Cascade, pad_to_multiple

Frames = NDArray[np.uint8]
Restorer = Callable[[Frames, range], list[Frames]]
"""Takes a whole video uint8 [N, H, W, 3] RGB and the numbers of the T frames wanted; returns them as uint8
[T, H, W, 3] after each stage, the result last."""
FitFunction = Callable[[Frames, Frames, range], Restorer]
"""Takes a blurred video, its sharp truth (uint8 [N, H, W, 3] RGB each) and the measured frames; returns a restorer,
which may be tuned to them (`best_unsharp`)."""


@dataclass(frozen=True)
class Model:
    """What is evaluated: a restorer for each video, and the network where there is one to look into."""

    fit: FitFunction
    cascade: Cascade | None = None


class LooksError(ValueError):
    """Raised where several looks are asked of what takes one."""


def load(name: str, repository: Path, looks: int = 1) -> Model:
    """Loads ``burst``, ``unsharp``, a model by its name in ``repository``, or a checkpoint by its path.

    A network restores every window with ``looks`` looks, a key of `looks.LOOKS`.
    Raises FileNotFoundError, CheckpointError, and LooksError for several looks of a baseline.
    """
    if name in _BASELINES:
        if looks > 1:
            raise LooksError(f"Only networks take several looks, not {name}.")
        return Model(_BASELINES[name])
    exported = repository / name / "1" / "model.onnx"
    if exported.is_file():
        return Model(_same_for_every_video(onnx_restorer(exported, looks)))
    cascade = checkpoint.load(Path(name))
    return Model(_same_for_every_video(pytorch_restorer(cascade, looks)), cascade)


def pytorch_restorer(cascade: Cascade, looks: int = 1) -> Restorer:
    """Makes a restorer of a cascade with any number of stages, which returns the frames after every stage."""

    def restore(window: Frames) -> list[Frames]:
        return _run_stages(cascade, window)

    return _by_windows(several_looks(restore, looks), cascade.config.stages)


def onnx_restorer(path: Path, looks: int = 1) -> Restorer:
    """Makes a restorer of an exported graph, run as it is served; the graph returns the last stage alone."""
    session = open_session(path)

    def restore(window: Frames) -> list[Frames]:
        (restored,) = session.run(None, {"frames": window})
        return [np.asarray(restored, np.uint8)]

    return _by_windows(several_looks(restore, looks), _exported_stages(path))


def _by_windows(restore_window: WindowRestorer, context: int) -> Restorer:
    def restore(video: Frames, wanted: range) -> list[Frames]:
        parts = [restore_window(window) for window in windows(video, wanted, context)]
        return [np.concatenate(stage) for stage in zip(*parts, strict=True)]

    return restore


def _run_stages(cascade: Cascade, window: Frames) -> list[Frames]:
    """Returns every stage's output for the frames that the last stage restores: uint8 [T, H, W, 3] each."""
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
    """Reads the number of stages from the description beside an exported graph."""
    description = path.parent.parent / "model.json"
    return int(json.loads(description.read_text())["stages"])


def _same_for_every_video(restore: Restorer) -> FitFunction:
    def fit(_blurred: Frames, _sharp: Frames, _measured: range) -> Restorer:
        return restore

    return fit


_BASELINES: dict[str, FitFunction] = {
    "burst": _same_for_every_video(burst_restorer),
    "unsharp": best_unsharp,
}
