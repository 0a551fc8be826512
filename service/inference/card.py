"""What the export side says of a model in ``model.json``, as far as running it is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.errors.engine import EngineError
from service.window_limits import WindowMemory


@dataclass(frozen=True)
class EngineCard:
    """Fields that older exports lack are None: nothing is known of them."""

    min_psnr: float | None = None
    """In dB: how close an engine's output has to be to the FP32 graph's."""
    memory: WindowMemory | None = None


_CARD = TypeAdapter(EngineCard)


def read_card(directory: Path) -> EngineCard:
    """The card of the model in ``directory``; an empty one without ``model.json``. Raises EngineError if damaged."""
    try:
        return _CARD.validate_json((directory / "model.json").read_bytes())
    except FileNotFoundError:
        return EngineCard()
    except (OSError, ValidationError) as error:
        raise EngineError(f"{directory.name}/model.json cannot be read: {error}") from error
