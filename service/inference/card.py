"""Reads what the export side states in ``model.json`` about running a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from service.errors.engine import EngineError
from service.memory.plan import TileMemory
from service.window_limits import WindowMemory


@dataclass(frozen=True)
class HalfGraph:
    """The graph for accelerators that compute in half precision."""

    file: Annotated[str, Field(pattern=r"^[\w.-]+\.onnx$")]
    """Its name in ``1/``."""


@dataclass(frozen=True)
class EngineCard:
    """What running a model has to know; None where an older export does not state it."""

    min_psnr: float | None = None
    """The least PSNR between an engine's output and that of the FP32 graph, in dB."""
    memory: WindowMemory | None = None
    fp16: HalfGraph | None = None
    tiles: TileMemory | None = None


_CARD = TypeAdapter(EngineCard)


def read_card(directory: Path) -> EngineCard:
    """Reads the card of the model in ``directory``; without ``model.json`` it is empty.

    Raises EngineError for a damaged card.
    """
    try:
        return _CARD.validate_json((directory / "model.json").read_bytes())
    except FileNotFoundError:
        return EngineCard()
    except (OSError, ValidationError) as error:
        raise EngineError(f"{directory.name}/model.json cannot be read: {error}") from error
