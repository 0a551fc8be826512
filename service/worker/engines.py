"""Keeps the engines of this worker: each model is loaded once and stays."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from service.inference.card import read_card
from service.inference.engine import DeblurEngine
from service.inference.precision import check_precision
from service.window_limits import WindowMemory


class EngineCache:
    """Loads models on first use; all task threads share one engine per model."""

    def __init__(self, models: Path, load: Callable[[Path], DeblurEngine]) -> None:
        """``load`` makes an engine from a model's directory and may raise ModelNotFound or EngineError."""
        self._models = models
        self._load = load
        self._engines: dict[str, DeblurEngine] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> DeblurEngine:
        """Returns the engine of a model.

        Raises what loading and ``check_precision`` raise; the next call then tries again.
        """
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._checked(self._models / name)
            return self._engines[name]

    def memory(self, name: str) -> WindowMemory | None:
        """Returns what windows of a model take, if its ``model.json`` says so."""
        return read_card(self._models / name).memory

    def _checked(self, directory: Path) -> DeblurEngine:
        engine = self._load(directory)
        try:
            check_precision(engine, directory)
        except BaseException:
            engine.close()
            raise
        return engine

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the models that are loaded."""
        return tuple(sorted(self._engines))

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
            for engine in self._engines.values():
                engine.close()
            self._engines.clear()
