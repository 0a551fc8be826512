"""``/jobs/<id>/events``: the job's event stream as server-sent events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.dependencies import AdmittedCaller, Events, OwnJobs, Recheck
from service.api.openapi.responses import Responses, header_parameter, problems
from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound
from service.errors.limit import TooManyStreams
from service.jobs.event_feeds import Listener
from service.jobs.events import FROM_THE_BEGINNING, Event
from service.jobs.job import JobStatus
from service.metrics import EVENT_LAG

router = APIRouter(tags=["jobs"])

_NUMBERS: dict[str, Callable[[str], str | int | float]] = {
    "time": float,
    "frames_done": int,
    "newest_frame": int,
    "eta_s": float,
}
"""Redis keeps strings."""

_EVENT_ID = re.compile(r"\d{1,19}-\d{1,19}")
"""Redis takes numbers of 64 bits."""


_STREAM: Responses = {
    **problems(JobNotFound, TooManyStreams),
    200: {"description": "The events.", "content": {"text/event-stream": {}}},
    204: {"description": "The job has ended and there is nothing after `Last-Event-ID`."},
}
_RESUME = {"parameters": [header_parameter("Last-Event-ID", "Goes on after this event.")]}


@router.get(
    "/jobs/{job_id}/events", response_class=StreamingResponse, responses=_STREAM, openapi_extra=_RESUME
)
async def stream_events(
    job_id: str, jobs: OwnJobs, events: Events, caller: AdmittedCaller, recheck: Recheck, request: Request
) -> Response:
    """Tells state changes and progress as they happen, ending with the job; `Last-Event-ID` resumes."""
    job = await run_sync(jobs.get, job_id)
    given = request.headers.get("last-event-id", "")
    after = given if _EVENT_ID.fullmatch(given) else FROM_THE_BEGINNING
    if not job.status.active and not await events.read(job.id, after):
        return Response(status_code=HTTPStatus.NO_CONTENT)  # tells a browser not to reconnect
    listener = await events.listen(job.id, after, caller.tenant)
    return _EventStream(listener, partial(recheck.still_admitted, caller))


class _EventStream(StreamingResponse):
    """Frees the place of its listener when it ends, also where it never began."""

    def __init__(self, listener: Listener, may_go_on: Callable[[], Awaitable[bool]]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_lines(listener, may_go_on), media_type="text/event-stream", headers=headers)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listener.close()


async def _lines(listener: Listener, may_go_on: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """Ends with the job, with its deletion, with the caller's key, or with Redis: the browser then asks again."""
    over, since = False, time.time()
    with suppress(BrokerUnavailable):
        async for event in listener.events():
            if not await may_go_on():
                return
            if event is None:
                yield ": still here\n\n"
                continue
            yield _format(event)
            if event.time >= since:  # a replay says nothing about how fast news travel
                EVENT_LAG.observe(max(0.0, time.time() - event.time))
            over = _is_over(event, over)
            if over and not await listener.pending():
                return


def _is_over(event: Event, before: bool) -> bool:
    """Returns whether the job had ended at an event; in a replay, a retry may follow."""
    return not JobStatus(event.fields["status"]).active if event.type == "status" else before


def _format(event: Event) -> str:
    data = {name: _NUMBERS.get(name, str)(value) for name, value in event.fields.items()}
    return f"id: {event.id}\nevent: {event.type}\ndata: {json.dumps(data)}\n\n"
