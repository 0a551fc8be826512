"""The bodies of answers about the service: its models, qualities and workers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from service.config import Settings
from service.devices.placement import Placement
from service.jobs.workers import WorkerState
from service.model_catalog import ModelCard
from service.quality import QUALITIES, Quality, QualityModels
from service.types import MIN_SIDE


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

    name: Quality = Field(title="Quality")
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


class LiveBody(BaseModel):
    status: Literal["alive"] = "alive"


class ReadyBody(BaseModel):
    status: Literal["ready", "read_only"] = Field(
        title="Readiness",
        description="With `read_only`, jobs are shown, fetched and deleted, and uploads wait for room on the disk.",
    )
    reason: str | None = Field(description="Says why uploads wait.")
    workers: list[WorkerBody]


class LimitsBody(BaseModel):
    """What the service takes, and how long it keeps what it was given."""

    max_upload_bytes: int = Field(description="Bytes of a file.", examples=[2 << 30])
    max_duration_s: float = Field(description="Seconds of a video.", examples=[3600.0])
    max_frames: int = Field(description="Frames of a video.", examples=[120_000])
    min_frame_side: int = Field(description="Pixels of the shorter side of a frame.", examples=[MIN_SIDE])
    max_frame_pixels: int = Field(description="Pixels of a frame.", examples=[4096 * 2304])
    upload_keep_s: float = Field(
        description="Seconds that a resumable upload waits for its next byte, or to become a job."
    )
    files_keep_s: float | None = Field(
        description="Seconds after the end of a job when its video and its result are removed; null is never."
    )
    record_keep_s: float | None = Field(
        description="Seconds that a job is listed after its files are gone; null where they never go."
    )


def limits_body(settings: Settings) -> LimitsBody:
    return LimitsBody(
        max_upload_bytes=settings.max_upload_bytes,
        max_duration_s=settings.max_duration_s,
        max_frames=settings.max_frames,
        min_frame_side=MIN_SIDE,
        max_frame_pixels=settings.max_frame_pixels,
        upload_keep_s=settings.upload_keep_s,
        files_keep_s=settings.retention_s or None,
        record_keep_s=settings.record_retention_s if settings.retention_s else None,
    )


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
