"""The bodies of answers about the service: its models, qualities and workers."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel, Field

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


class QualityBody(BaseModel):
    """What the option `quality` stands for."""

    name: Quality
    model: str
    looks: int
    available: bool = Field(description="Whether its model is installed.")


class ModelsBody(BaseModel):
    models: list[ModelBody]
    qualities: list[QualityBody]


class WorkerBody(BaseModel):
    name: str
    engine: str
    ready: list[str]
    models: list[str]
    running: int


class ReadyBody(BaseModel):
    status: str = Field(examples=["ready"])
    workers: list[WorkerBody]


def models_body(cards: tuple[ModelCard, ...], default: str, qualities: QualityModels) -> ModelsBody:
    installed = {card.name for card in cards}
    choices = [(name, qualities.choice(name)) for name in QUALITIES]
    return ModelsBody(
        models=[ModelBody(**asdict(card), default=card.name == default) for card in cards],
        qualities=[
            QualityBody(name=name, model=one.model, looks=one.looks, available=one.model in installed)
            for name, one in choices
        ],
    )


def worker_body(state: WorkerState) -> WorkerBody:
    return WorkerBody.model_validate(asdict(state))
