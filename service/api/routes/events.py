"""``/jobs/<id>/events``: the job's event stream as server-sent events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from http import HTTPStatus

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from service.api.access import still_admitted
from service.api.dependencies import AdmittedCaller, Events, Keys, OwnJobs
from service.api.openapi.responses import Responses, header_parameter, problems
from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound
from service.jobs.events import FROM_THE_BEGINNING, Event, EventReader
from service.jobs.job import JobStatus
from service.metrics import EVENT_LAG

router = APIRouter(tags=["jobs"])

IDLE_S = 15.0
"""A comment this often keeps proxies from closing a silent connection."""

_NUMBERS: dict[str, Callable[[str], str | int | float]] = {"time": float, "frames_done": int}
"""Redis keeps strings."""

_EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")


_STREAM: Responses = {
    **problems(JobNotFound),
    200: {"content": {"text/event-stream": {}}},
    204: {"description": "The job has ended and there is nothing after `Last-Event-ID`."},
}
_RESUME = {"parameters": [header_parameter("Last-Event-ID", "Goes on after this event.")]}


@router.get(
    "/jobs/{job_id}/events", response_class=StreamingResponse, responses=_STREAM, openapi_extra=_RESUME
)
async def follow_job(
    job_id: str, jobs: OwnJobs, events: Events, caller: AdmittedCaller, keys: Keys, request: Request
) -> Response:
    """Tells state changes and progress as they happen, ending with the job; `Last-Event-ID` resumes."""
    job = await run_sync(jobs.get, job_id)
    given = request.headers.get("last-event-id", "")
    after = given if _EVENT_ID.fullmatch(given) else FROM_THE_BEGINNING
    if not job.status.active and not await events.read(job.id, after, wait_s=0):
        return Response(status_code=HTTPStatus.NO_CONTENT)  # tells a browser not to reconnect

    def may_go_on() -> bool:
        return still_admitted(caller, keys)

    def exists() -> bool:
        return jobs.exists(job_id)

    lines = _lines(events, job.id, after, may_go_on, exists)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def _lines(
    events: EventReader, job_id: str, after: str, may_go_on: Callable[[], bool], exists: Callable[[], bool]
) -> AsyncIterator[str]:
    """Ends with the job, with its deletion, with the caller's key, or with Redis: the browser then asks again."""
    over, since = False, time.time()
    with suppress(BrokerUnavailable):
        async for event in events.follow(job_id, after, IDLE_S):
            if not await run_sync(may_go_on):
                return
            if event is None:
                yield ": still here\n\n"
                if not await run_sync(exists):
                    return
                continue
            yield _format(event)
            if event.time >= since:  # a replay says nothing about how fast news travel
                EVENT_LAG.observe(max(0.0, time.time() - event.time))
            over = _is_over(event, over)
            if over and not await events.read(job_id, event.id, wait_s=0):
                return


def _is_over(event: Event, before: bool) -> bool:
    """Returns whether the job had ended at an event; in a replay, a retry may follow."""
    return not JobStatus(event.fields["status"]).active if event.type == "status" else before


def _format(event: Event) -> str:
    data = {name: _NUMBERS.get(name, str)(value) for name, value in event.fields.items()}
    return f"id: {event.id}\nevent: {event.type}\ndata: {json.dumps(data)}\n\n"
