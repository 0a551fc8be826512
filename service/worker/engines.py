"""Keeps the engines of this worker: each model is loaded once and stays."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from service.devices.names import CPU
from service.devices.placement import Placement
from service.inference.card import EngineCard, read_card
from service.inference.engine import DeblurEngine
from service.inference.precision import check_precision
from service.inference.tiled.engine import TiledEngine
from service.inference.tiled.parts import Parts
from service.worker.engine_loader import Load, Loaded, no_parts

log = logging.getLogger(__name__)

_REFERENCE_SIDE = 1 << 16
"""The reference window is restored in one tile."""


class EngineCache:
    """Loads models on first use; all task threads share one engine per model."""

    def __init__(self, models: Path, load: Load, load_parts: Callable[[Path], Parts] = no_parts) -> None:
        """``load`` makes an engine from a model's directory and may raise ModelNotFound or EngineError.

        ``load_parts`` does the same for tiles.
        """
        self._models = models
        self._load = load
        self._load_parts = load_parts
        self._loaded: dict[str, Loaded] = {}
        self._parts: dict[str, Parts] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> DeblurEngine:
        """Returns the engine of a model. Raises what loading raises; the next call then tries again."""
        with self._lock:
            if name not in self._loaded:
                loaded = self._load(self._models / name)
                log.info("%s", loaded.placement().line)
                self._loaded[name] = loaded
            return self._loaded[name].engine

    def placement(self, name: str) -> Placement | None:
        """Returns where a model runs at this moment; None before it is loaded."""
        loaded = self._loaded.get(name)
        return loaded.placement() if loaded else None

    def placements(self) -> tuple[Placement, ...]:
        """Returns where the loaded models run, by name."""
        return tuple(one for name in self.loaded if (one := self.placement(name)))

    def on_processor(self, name: str, tile: int | None) -> bool:
        """Returns whether this worker's processor computes the windows of a loaded model, as it does all tiles."""
        placement = self.placement(name)
        return tile is not None or (placement is not None and placement.device == CPU)

    @property
    def accelerated(self) -> bool:
        """Whether a loaded model runs on something else than this worker's processor, with memory of its own."""
        return any(one.device != CPU for one in self.placements())

    def tiled(self, name: str, side: int) -> DeblurEngine:
        """Returns an engine that restores with the parts of a model, in tiles; see `TiledEngine`.

        Raises what loading and ``check_precision`` raise.
        """
        with self._lock:
            if name not in self._parts:
                self._parts[name] = self._checked_parts(self._models / name)
            return TiledEngine(self._parts[name], side)

    def card(self, name: str) -> EngineCard:
        """Returns what ``model.json`` says about running a model."""
        return read_card(self._models / name)

    def _checked_parts(self, directory: Path) -> Parts:
        parts = self._load_parts(directory)
        try:
            check_precision(TiledEngine(parts, _REFERENCE_SIDE), directory)
        except BaseException:
            parts.close()
            raise
        return parts

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the models that are loaded."""
        return tuple(sorted(self._loaded))

    def available(self) -> tuple[str, ...]:
        """Returns the names of the models whose graph is in the repository."""
        return tuple(sorted(path.parents[1].name for path in self._models.glob("*/1/model.onnx")))

    def digest(self, name: str) -> str:
        """Returns the SHA-256 of a model's graph, in hex."""
        with (self._models / name / "1" / "model.onnx").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Closes all engines."""
        with self._lock:
            for loaded in self._loaded.values():
                loaded.engine.close()
            self._loaded.clear()
            for parts in self._parts.values():
                parts.close()
            self._parts.clear()
