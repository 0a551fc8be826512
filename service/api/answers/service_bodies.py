"""The bodies of answers about the service: its models, qualities and workers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from service.devices.placement import Placement
from service.jobs.workers import WorkerState
from service.model_catalog import ModelCard
from service.quality import QUALITIES, Quality, QualityModels


class ModelBody(BaseModel):
    name: str
    preset: str
    stages: int
    precision: str
    opset: int
    parameters: int
    licence: str
    sha256: str
    description: str
    default: bool = Field(description="Whether a job that names no model uses this one.")
    runs_on: list[str] = Field(description="A sentence for each place where a live worker has it loaded.")


class QualityBody(BaseModel):
    """What the option `quality` stands for."""

    name: Quality
    model: str
    looks: int
    available: bool = Field(description="Whether its model is installed.")


class ModelsBody(BaseModel):
    models: list[ModelBody]
    qualities: list[QualityBody]


class PlacementBody(BaseModel):
    """Where a worker runs a model."""

    model: str
    device: str = Field(examples=["cuda:0"])
    precision: str = Field(description="`fp16` or `fp32`; empty where a server's configuration decides.")
    line: str = Field(description="The same in a sentence, with the reason.")


class WorkerBody(BaseModel):
    name: str
    engine: str
    ready: list[str]
    models: list[str]
    running: int
    placements: list[PlacementBody]
    fault: str = Field(description="Why it takes no work, if it does not.")


class ReadyBody(BaseModel):
    status: Literal["ready", "read_only"] = Field(
        description="With `read_only`, jobs are shown, fetched and deleted, and uploads wait for room on the disk."
    )
    reason: str | None = Field(description="Says why uploads wait.")
    workers: list[WorkerBody]


def models_body(
    cards: tuple[ModelCard, ...], default: str, qualities: QualityModels, placements: Iterable[Placement]
) -> ModelsBody:
    installed = {card.name for card in cards}
    lines: dict[str, set[str]] = {}
    for placement in placements:
        lines.setdefault(placement.model, set()).add(placement.line)
    choices = [(name, qualities.choice(name)) for name in QUALITIES]
    return ModelsBody(
        models=[
            ModelBody(**asdict(card), default=card.name == default, runs_on=sorted(lines.get(card.name, ())))
            for card in cards
        ],
        qualities=[
            QualityBody(name=name, model=one.model, looks=one.looks, available=one.model in installed)
            for name, one in choices
        ],
    )


def worker_body(state: WorkerState) -> WorkerBody:
    placements = [{**asdict(one), "line": one.line} for one in state.placements]
    return WorkerBody.model_validate({**asdict(state), "placements": placements})
