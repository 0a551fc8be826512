"""Lists the models that can be asked for, as the export side described them in ``<model>/model.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.errors.engine import ModelNotFound
from service.memory.plan import TileMemory
from service.window_limits import WindowMemory


@dataclass(frozen=True)
class ModelCard:
    """One model of the repository. ``sha256`` is that of ``1/model.onnx``."""

    name: str
    preset: str
    stages: int
    precision: str
    opset: int
    parameters: int
    licence: str
    sha256: str
    description: str
    memory: WindowMemory | None = None
    """The memory that a window takes; None for older exports, of which nothing is known."""
    tiles: TileMemory | None = None
    """The memory that tiles take; None for exports without parts for them."""

    @property
    def cost(self) -> float:
        """What a pixel takes, compared with a network of a million parameters; 1 where they are not counted.

        The same on every machine and at every hour, which measured speeds are not: jobs are compared by it.
        """
        return self.parameters / 1e6 or 1.0


_CARD = TypeAdapter(ModelCard)


class ModelCatalog:
    """Reads the model repository anew each time: it is small, and models come and go."""

    def __init__(self, directory: Path, default: str = "") -> None:
        """``default``: the model of whoever names none."""
        self._directory = directory
        self.default = default

    def models(self) -> tuple[ModelCard, ...]:
        """Returns all models whose graph and description are there, by name."""
        cards = (self._read(path.parent) for path in sorted(self._directory.glob("*/model.json")))
        return tuple(card for card in cards if card is not None)

    def require(self, name: str | None) -> ModelCard:
        """Returns the model ``name``, or the default for None. Raises ModelNotFound, naming those that exist."""
        wanted = name or self.default
        cards = {card.name: card for card in self.models()}
        if wanted not in cards:
            known = f"there are: {', '.join(cards)}" if cards else "none is installed"
            raise ModelNotFound(f"There is no model {wanted[:64]!r}; {known}.")
        return cards[wanted]

    def _read(self, directory: Path) -> ModelCard | None:
        """Returns None for a directory that is not (yet, or no longer) a usable model."""
        if not (directory / "1" / "model.onnx").is_file():
            return None
        try:
            card = _CARD.validate_python(json.loads((directory / "model.json").read_text("utf-8")))
        except (OSError, ValueError, ValidationError):
            return None
        return card if card.name == directory.name else None
