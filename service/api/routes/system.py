"""The service itself: alive, ready, models."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import APIRouter, Response

from service.api.answers.bodies import ModelsBody, ReadyBody, models_body, worker_body
from service.api.answers.problems import problem
from service.api.dependencies import Gateway, Parts
from service.api.openapi.responses import documented, problems
from service.errors.base import ServiceError

router = APIRouter(tags=["service"])
log = logging.getLogger(__name__)

_NOT_READY = documented(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready")


@router.get("/livez", responses=problems())
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", response_model=ReadyBody, responses=_NOT_READY)
def ready(parts: Parts) -> Response | ReadyBody:
    """Redis answers, files can be written, and at least one worker has loaded a model."""
    fault = _storage_fault(parts)
    try:
        workers = parts.workers.alive()
    except ServiceError as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", f"broker: {error}")
    if not any(worker.ready for worker in workers):
        fault = fault or "worker: none has loaded a model yet"
    if fault:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", fault)
    return ReadyBody(status="ready", workers=[worker_body(worker) for worker in workers])


@router.get("/models", responses=problems())
def list_models(parts: Parts) -> ModelsBody:
    """The models that a job can ask for."""
    return models_body(parts.catalog.models(), parts.default_model)


def _storage_fault(parts: Gateway) -> str | None:
    try:
        parts.storage.check()
    except (ServiceError, OSError) as error:
        return f"storage: {error}"
    return None
