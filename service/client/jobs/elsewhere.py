"""Submits a video that is not here: the service fetches it from its URL, or has it already, as that of another job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from service.client.effects import Operation, call
from service.client.http.answers import job_from
from service.client.http.calls import Call
from service.client.http.form import form_call
from service.client.jobs.submission import SILENCE_S
from service.client.model import Job
from service.client.retry_policy import RetryPolicy, retrying


def submit_url(
    input_url: str, options: Mapping[str, str | float | None], key: str, outage_s: float
) -> Operation[Job]:
    """Asks the service to fetch a video itself, and returns its queued job; None is an option that was not given.

    Raises RequestRejected, ServiceUnreachable.
    """
    given = {name: value for name, value in options.items() if value is not None}
    request = Call(
        "POST",
        "/jobs",
        headers={"Idempotency-Key": key},
        json={**given, "input_url": input_url},
        silence_s=SILENCE_S,
    )

    def attempt() -> Operation[Job]:
        return job_from((yield from call(request)))

    return (yield from retrying(attempt, RetryPolicy(outage_s)))


def submit_again(
    job_id: str, options: Mapping[str, str | float | None], key: str, outage_s: float
) -> Operation[Job]:
    """Asks for another job with the video of a job, and returns it; None is an option that was not given.

    Raises RequestRejected, ServiceUnreachable.
    """
    given = {name: _text(value) for name, value in options.items() if value is not None}
    request = form_call("/jobs", {**given, "source": job_id}, headers={"Idempotency-Key": key})

    def attempt() -> Operation[Job]:
        return job_from((yield from call(replace(request, silence_s=SILENCE_S))))

    return (yield from retrying(attempt, RetryPolicy(outage_s)))


def _text(value: str | float) -> str:
    """Returns a value as forms write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
