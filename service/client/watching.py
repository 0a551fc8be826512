"""Following a job: by its event stream, or by asking again and again where no stream gets through."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from service.client.answers import DEFAULT_POLL_S, SHORTEST_POLL_S, checked, job_in, poll_interval
from service.client.errors import AddressUnusable, ClientError, RequestRejected, WaitTimedOut
from service.client.events import MEDIA_TYPE, EventParser
from service.client.model import FINAL_STATUSES, Event, Job
from service.client.retry_policy import Patience, may_pass, patiently
from service.client.steps import Call, Emit, Flow, call, job_path, pause, read

SILENCE_S = 20.0
"""The service says something every 15 seconds; longer silence is a connection that nobody serves."""
TRIES = 3
"""Connections in a row that bring nothing: something in between holds streams back."""


class EventLog:
    """A job's event stream, over as many connections as it takes."""

    def __init__(self, job_id: str, after: str = "") -> None:
        self._path = job_path(job_id, "events")
        self._parser = EventParser(after)
        self.connected = False

    def connect(self) -> Flow[bool]:
        """False when the job is over and there is nothing more to tell. Raises ClientError."""
        headers = {"Accept": MEDIA_TYPE}
        if self._parser.last_id:
            headers["Last-Event-ID"] = self._parser.last_id
        answer = yield from call(Call("GET", self._path, headers=headers, stream=True, silence_s=SILENCE_S))
        if checked(answer).status == HTTPStatus.NO_CONTENT:
            return False
        if not answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            raise AddressUnusable(f"what answers at {answer.url} is no event stream")
        self._parser.restart()
        self.connected = True
        return True

    def read(self) -> Flow[list[Event]]:
        """The events in the next piece of the stream, if any; at its end ``connected`` is False."""
        self.connected = False  # until proven otherwise: reading may raise
        data = yield from read()
        self.connected = bool(data)
        return self._parser.feed(data)


def events(job_id: str, after: str, outage_s: float) -> Flow[None]:
    """Emits the job's events after an id, reconnecting, until the job is over. Raises ClientError."""
    log, patience, over = EventLog(job_id, after), Patience(outage_s), False
    while not over:
        try:
            if not (yield from log.connect()):
                return
            while log.connected:
                for event in (yield from log.read()):
                    patience.calm()
                    over = _is_over(event, over)
                    yield Emit(event)
        except ClientError as error:
            yield from pause(patience.after(error))
        else:
            yield from pause(0 if over else DEFAULT_POLL_S)


def _is_over(event: Event, before: bool) -> bool:
    """Whether the job had ended at an event; in a replay, a retry may follow."""
    return event.data.get("status") in FINAL_STATUSES if event.type == "status" else before


def wait(
    job_id: str, on_change: Callable[[Job], None] | None, timeout_s: float | None, outage_s: float
) -> Flow[Job]:
    """The job once it has a final status, whichever it is. Raises WaitTimedOut, ClientError.

    Events only say when to look: what ``on_change`` is told is the job itself, the same by either way.
    """
    look, news = _Look(job_id), _News(job_id)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        before, job = look.job, (yield from patiently(look.once, Patience(outage_s)))
        if on_change and job != before:
            on_change(job)
        if job.finished:
            return job
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise WaitTimedOut(f"job {job_id} is still {job.status} after {timeout_s:g} s")
        yield from news.arrive(look.poll_s, left)


class _Look:
    """Asks for a job; one that has not changed costs no body."""

    def __init__(self, job_id: str) -> None:
        self._path = job_path(job_id)
        self._tag = ""
        self.job: Job | None = None
        self.poll_s = DEFAULT_POLL_S

    def once(self) -> Flow[Job]:
        known = {"If-None-Match": self._tag} if self._tag else {}
        answer = yield from call(Call("GET", self._path, headers=known))
        self.poll_s = poll_interval(answer.headers)
        if answer.status == HTTPStatus.NOT_MODIFIED and self.job:
            return self.job
        self.job = job_in(answer)
        self._tag = answer.headers.get("etag", "")
        return self.job


class _News:
    """Waits for a reason to look at a job again."""

    def __init__(self, job_id: str) -> None:
        self._log = EventLog(job_id)
        self._tries_left = TRIES

    def arrive(self, poll_s: float, left_s: float | None) -> Flow[None]:
        """Return at the next news, after ``poll_s`` where there is no stream, and not long after ``left_s``."""
        if not self._tries_left or (left_s is not None and left_s <= SILENCE_S):
            yield from pause(poll_s if left_s is None else min(poll_s, left_s))
            return
        heard = yield from self._listen()
        yield from pause(SHORTEST_POLL_S if heard else poll_s)  # what comes in bursts is looked at once

    def _listen(self) -> Flow[bool]:
        try:
            if not self._log.connected and not (yield from self._log.connect()):
                return True  # over: look at once
            yield from self._log.read()
        except ClientError as error:
            self._tries_left = self._tries_left - 1 if may_pass(error) else 0
            return (
                isinstance(error, RequestRejected) and error.status == HTTPStatus.NOT_FOUND
            )  # looking tells
        if self._log.connected:
            self._tries_left = TRIES
        return self._log.connected
