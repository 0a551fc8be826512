"""``/jobs/<id>/webhooks``: shows the deliveries of a job's webhooks and sends one again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from service.api.dependencies import AdmittedCaller, Deliveries, OwnJobs
from service.api.openapi.responses import problems
from service.errors.job import JobNotFound
from service.errors.webhook import DeliveryNotFound
from service.webhooks.deliveries import Delivery, DeliveryState

router = APIRouter(tags=["webhooks"])


class DeliveryBody(BaseModel):
    """One webhook of one event. Times are Unix seconds. ``event_id`` is that of the entry in the job's event stream."""

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
def list_dead_letters(caller: AdmittedCaller, deliveries: Deliveries) -> DeadLettersBody:
    """Lists deliveries of all jobs that are not tried any more, the latest first, at most 1000."""
    dead = deliveries.dead(None if caller.sees_all else caller.tenant)
    return DeadLettersBody(
        deliveries=[DeadLetterBody(job=one.job_id, **_body(one).model_dump()) for one in dead]
    )


@router.get("/jobs/{job_id}/webhooks", responses=problems(JobNotFound))
def list_deliveries(job_id: str, jobs: OwnJobs, deliveries: Deliveries) -> DeliveriesBody:
    """Lists all deliveries of a job, oldest first; those in state `dead` are not tried any more."""
    job = jobs.get(job_id)
    return DeliveriesBody(deliveries=[_body(one) for one in deliveries.of_job(job.id)])


@router.post(
    "/jobs/{job_id}/webhooks/{event_id}/resend",
    status_code=202,
    responses=problems(JobNotFound, DeliveryNotFound),
)
def resend_delivery(job_id: str, event_id: str, jobs: OwnJobs, deliveries: Deliveries) -> DeliveryBody:
    """Begins anew with a delivery, whatever became of it."""
    job = jobs.get(job_id)
    return _body(deliveries.send_again(job.id, event_id))


def _body(delivery: Delivery) -> DeliveryBody:
    fields: dict[str, Any] = {**asdict(delivery), "message_id": delivery.message_id}
    return DeliveryBody(**{name: fields[name] for name in DeliveryBody.model_fields})
