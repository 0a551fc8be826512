"""Keeps the engines of this worker: each model is loaded once and stays."""

from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path

from service.devices.placement import Placement
from service.inference.card import read_card
from service.inference.engine import DeblurEngine
from service.window_limits import WindowMemory
from service.worker.engine_loader import Load, Loaded

log = logging.getLogger(__name__)


class EngineCache:
    """Loads models on first use; all task threads share one engine per model."""

    def __init__(self, models: Path, load: Load) -> None:
        """``load`` makes an engine from a model's directory and may raise ModelNotFound or EngineError."""
        self._models = models
        self._load = load
        self._loaded: dict[str, Loaded] = {}
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

    def memory(self, name: str) -> WindowMemory | None:
        """Returns what windows of a model take, if its ``model.json`` says so."""
        return read_card(self._models / name).memory

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
