"""Chooses the faster runtime of this machine's processor, for ``CDVD_ENGINE=auto``.

Which one that is depends on the processor: OpenVINO computes convolutions in bfloat16 where there are units for it. So
the runtimes that are installed restore some windows in turns, once per data directory, and the result is kept there
until a version, the processor or the model changes.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from pydantic import TypeAdapter, ValidationError

from service.config import Settings
from service.devices.names import CPU
from service.errors.base import ServiceError
from service.inference.engine import DeblurEngine, Frames
from service.types import CONTEXT_FRAMES
from service.worker.engine_loader import Loaded, engine_loader
from service.worker.runtime.machine import FILE, installed, processor

log = logging.getLogger(__name__)

BUDGET_S = 10.0
"""Seconds for loading and for all windows together; no round but the first begins after them."""
ROUNDS = 7
_FRAMES, _HEIGHT, _WIDTH = 1, 192, 320
_DEFAULT = "onnx"


@dataclass(frozen=True)
class Choice:
    """The runtime of a machine."""

    engine: str
    frame_ms: dict[str, float]
    """By runtime: what a frame took, in milliseconds; empty where there was nothing to choose from."""
    machine: dict[str, str]
    """What this is true for."""

    @property
    def line(self) -> str:
        """One line for logs and people."""
        if not self.frame_ms:
            return f"{self.engine}, the only one for this machine"
        taken = ", ".join(f"{name} {ms:.1f}" for name, ms in self.frame_ms.items())
        return f"{self.engine}, measured on this machine: ms per frame of {_WIDTH}x{_HEIGHT}: {taken}"


_CHOICE = TypeAdapter(Choice)


def settled(settings: Settings) -> Settings:
    """Returns the settings with a named engine for ``auto``; measures at the first start with their data directory."""
    if settings.engine != "auto":
        return settings
    choice = kept_choice(settings) or _measured(settings)
    log.info("Runtime: %s", choice.line)
    return settings.model_copy(update={"engine": choice.engine})


def kept_choice(settings: Settings) -> Choice | None:
    """Returns what was measured before; None where that was nothing, or on another machine."""
    try:
        choice = _CHOICE.validate_json((settings.data / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return choice if choice.machine == _machine(settings) else None


def _measured(settings: Settings) -> Choice:
    """Measures, and keeps the result unless something kept it from being one."""
    over = time.monotonic() + BUDGET_S
    loaded = _loaded(settings)
    try:
        chosen = _DEFAULT
        frame_ms: dict[str, float] = {}
        first = loaded.get(_DEFAULT)
        on_device = first is not None and first.placement().device != CPU
        if len(loaded) > 1 and not on_device:
            seconds = _race({name: each.engine for name, each in loaded.items()}, over)
            frame_ms = {name: round(1000 * taken / _FRAMES, 2) for name, taken in seconds.items()}
            chosen = min(frame_ms, key=frame_ms.__getitem__)
    finally:
        for each in loaded.values():
            each.engine.close()
    choice = Choice(chosen, frame_ms, _machine(settings))
    if loaded:
        _keep(choice, settings.data / FILE)
    return choice


def _loaded(settings: Settings) -> dict[str, Loaded]:
    """Returns the runtimes that load the default model."""
    loaded = {}
    for name in installed():
        try:
            load = engine_loader(settings.model_copy(update={"engine": name}))
            loaded[name] = load(settings.models / settings.model)
        except ServiceError as error:
            log.info("Runtime %s is not measured: %s", name, error)
    return loaded


def _race(engines: Mapping[str, DeblurEngine], over: float) -> dict[str, float]:
    """Returns the median seconds of a window by runtime; they take turns, so that other work weighs on all alike.

    After ``over``, on the monotonic clock, no round but the first begins.
    """
    window = _window()
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine.restore(window)  # chooses kernels
    for done in range(ROUNDS):
        if done and time.monotonic() > over:
            break
        for name, engine in engines.items():
            start = time.perf_counter()
            engine.restore(window)
            seconds[name].append(time.perf_counter() - start)
    return {name: median(taken) for name, taken in seconds.items()}


def _window() -> Frames:
    """Returns stripes that move by two pixels a frame."""
    x, y = np.meshgrid(np.arange(_WIDTH), np.arange(_HEIGHT))
    frames = [127 + 100 * np.sin((x - 2 * t) / 7) * np.cos(y / 9) for t in range(_FRAMES + CONTEXT_FRAMES)]
    return np.repeat(np.stack(frames).astype(np.uint8)[..., None], 3, axis=-1)


def _machine(settings: Settings) -> dict[str, str]:
    graph = settings.models / settings.model / "1" / "model.onnx"
    threads = settings.engine_threads or len(os.sched_getaffinity(0))
    return {
        "processor": processor(),
        "threads": f"{threads}",
        "device": settings.device,
        "precision": settings.precision,
        "model": f"{settings.model} {graph.stat().st_size if graph.is_file() else 0}",
        **installed(),
    }


def _keep(choice: Choice, path: Path) -> None:
    """Writes the file aside first: a start that is killed leaves none, or the whole."""
    aside = path.with_suffix(".part")
    try:
        aside.write_text(json.dumps(asdict(choice), indent=2) + "\n")
        aside.replace(path)
    except OSError as error:
        log.warning("The choice of the runtime is not kept, so the next start measures again: %s", error)
