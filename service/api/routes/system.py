"""``/livez``, ``/readyz``, ``/models``, ``/limits``: whether the service runs, with what, and what it takes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response

from service.api.answers.problems import problem
from service.api.answers.service_bodies import (
    LimitsBody,
    LiveBody,
    ModelsBody,
    ReadyBody,
    models_body,
    worker_body,
)
from service.api.dependencies import Files, ModelChooser, ServiceLimits, Workers
from service.api.openapi.responses import problems, with_error
from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.storage import StorageFull
from service.jobs.workers import WorkerState
from service.storage.store import Storage

router = APIRouter(tags=["service"])
log = logging.getLogger(__name__)

_NOT_READY = with_error(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready")


@router.get("/livez", responses=problems())
async def get_liveness() -> LiveBody:
    """Tells that the process answers."""
    return LiveBody()


@router.get("/readyz", response_model=ReadyBody, responses=_NOT_READY)
def get_readiness(storage: Files, workers: Workers) -> Response | ReadyBody:
    """Tells whether Redis answers, files can be written, and at least one worker has a model and begins steps.

    A disk without room for uploads leaves the rest to use: jobs can be fetched and deleted, which makes room.
    """
    full, fault = _storage_fault(storage)
    try:
        alive, working = workers.alive(), workers.working()
    except ServiceError as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", f"Broker: {error}")
    if not any(worker.ready for worker in working):
        fault = fault or _worker_fault(alive)
    if fault:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", fault)
    status: Literal["ready", "read_only"] = "read_only" if full else "ready"
    return ReadyBody(status=status, reason=full, workers=[worker_body(worker) for worker in alive])


@router.get("/models", responses=problems())
def list_models(chooser: ModelChooser, workers: Workers) -> ModelsBody:
    """Lists the models and the qualities that a job can ask for, and where the models run."""
    catalog = chooser.catalog
    alive: tuple[WorkerState, ...] = ()
    with suppress(BrokerUnavailable):  # what can be asked for does not depend on it
        alive = workers.alive()
    placements = [placement for worker in alive for placement in worker.placements]
    return models_body(catalog.models(), catalog.default, chooser.qualities, placements)


@router.get("/limits", responses=problems())
def get_limits(limits: ServiceLimits) -> LimitsBody:
    """Tells how large and long a video may be, and how long the service keeps it. Keys may have limits of their own."""
    return limits


def _worker_fault(alive: Sequence[WorkerState]) -> str:
    """Returns why no worker is ready."""
    faults = [f"Worker {worker.name}: {worker.fault}" for worker in alive if worker.fault]
    if not faults and any(worker.ready for worker in alive):
        return "Worker: all drain or are about to end, and begin nothing."
    return faults[0] if faults else "Worker: none has loaded a model yet."


def _storage_fault(storage: Storage) -> tuple[str | None, str | None]:
    """Returns why there is no room for uploads, and what else is wrong with the storage."""
    try:
        storage.check()
    except StorageFull as error:
        return str(error), None
    except (ServiceError, OSError) as error:
        return None, f"Storage: {error}"
    return None, None
