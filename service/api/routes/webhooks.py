"""Webhook deliveries of a job: what became of them, and sending one again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from service.api.dependencies import Parts
from service.api.openapi.responses import problems
from service.errors.job import JobNotFound
from service.errors.webhook import DeliveryNotFound
from service.webhooks.deliveries import Delivery, DeliveryState

router = APIRouter(tags=["webhooks"])


class DeliveryBody(BaseModel):
    """Times are unix seconds. ``event_id`` is that of the entry in the job's event stream."""

    event_id: str
    message_id: str
    status: str
    state: DeliveryState
    time: float
    attempts: int
    last_attempt_at: float | None
    last_answer: str | None
    next_attempt_at: float | None


class DeliveriesBody(BaseModel):
    deliveries: list[DeliveryBody]


class DeadLetterBody(DeliveryBody):
    job: str


class DeadLettersBody(BaseModel):
    deliveries: list[DeadLetterBody]


@router.get("/webhooks/dead", responses=problems())
def list_dead_letters(parts: Parts) -> DeadLettersBody:
    """Deliveries of all jobs that are not tried any more, the latest first, at most 1000."""
    found = parts.deliveries.dead(None if parts.caller.sees_all else parts.caller.tenant)
    return DeadLettersBody(
        deliveries=[DeadLetterBody(job=one.job_id, **_body(one).model_dump()) for one in found]
    )


@router.get("/jobs/{job_id}/webhooks", responses=problems(JobNotFound))
def list_deliveries(job_id: str, parts: Parts) -> DeliveriesBody:
    """All deliveries of a job, oldest first; those in state `dead` are not tried any more."""
    job = parts.store.get(job_id)
    return DeliveriesBody(deliveries=[_body(one) for one in parts.deliveries.of_job(job.id)])


@router.post(
    "/jobs/{job_id}/webhooks/{event_id}/resend",
    status_code=202,
    responses=problems(JobNotFound, DeliveryNotFound),
)
def send_again(job_id: str, event_id: str, parts: Parts) -> DeliveryBody:
    """Begin anew with a delivery, whatever became of it."""
    job = parts.store.get(job_id)
    return _body(parts.deliveries.send_again(job.id, event_id))


def _body(delivery: Delivery) -> DeliveryBody:
    return DeliveryBody(message_id=delivery.message_id, **_shown(delivery))


def _shown(delivery: Delivery) -> dict[str, Any]:
    fields = asdict(delivery)
    return {name: fields[name] for name in DeliveryBody.model_fields if name in fields}
