"""Follows a job: by its event stream, or by asking again and again where no stream gets through."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

from service.client.effects import Emit, Operation, call, pause, read
from service.client.errors import AddressUnusable, ClientError, RequestRejected, WaitTimedOut
from service.client.http.answers import (
    DEFAULT_POLL_S,
    SHORTEST_POLL_S,
    job_from,
    poll_interval,
    require_success,
)
from service.client.http.calls import Call, job_path
from service.client.http.events import MEDIA_TYPE, EventDecoder
from service.client.model import FINAL_STATUSES, Event, Job
from service.client.retry_policy import RetryPolicy, is_transient, retrying

SILENCE_S = 20.0
"""The service sends something every 15 seconds; a connection that is silent for longer is dead."""
TRIES = 3
"""After so many connections in a row that bring nothing, something in between must hold streams back."""


class EventStream:
    """A job's event stream, over as many connections as it takes."""

    def __init__(self, job_id: str, after: str = "") -> None:
        self._path = job_path(job_id, "events")
        self._decoder = EventDecoder(after)
        self.connected = False

    def connect(self) -> Operation[bool]:
        """Opens a connection. Returns False when the job has ended and there are no more events. Raises ClientError."""
        headers = {"Accept": MEDIA_TYPE}
        if self._decoder.last_id:
            headers["Last-Event-ID"] = self._decoder.last_id
        answer = yield from call(Call("GET", self._path, headers=headers, stream=True, silence_s=SILENCE_S))
        if require_success(answer).status == HTTPStatus.NO_CONTENT:
            return False
        if not answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            raise AddressUnusable(f"What answers at {answer.url} is no event stream.")
        self._decoder.restart()
        self.connected = True
        return True

    def read(self) -> Operation[list[Event]]:
        """Returns the events in the next piece of the stream, if any; at its end, ``connected`` is False."""
        self.connected = False  # reading may raise
        data = yield from read()
        self.connected = bool(data)
        return self._decoder.feed(data)


def follow_events(job_id: str, after: str, outage_s: float) -> Operation[None]:
    """Emits the job's events after the one with the id ``after``, until the job has ended. Raises ClientError."""
    stream, policy, ended = EventStream(job_id, after), RetryPolicy(outage_s), False
    while not ended:
        try:
            if not (yield from stream.connect()):
                return
            while stream.connected:
                for event in (yield from stream.read()):
                    policy.reset()
                    ended = _is_ended(event, ended)
                    yield Emit(event)
        except ClientError as error:
            yield from pause(policy.delay_after(error))
        else:
            yield from pause(0 if ended else DEFAULT_POLL_S)


def _is_ended(event: Event, before: bool) -> bool:
    """Returns whether the job had ended at an event; in a replay, a retry may follow."""
    return event.data.get("status") in FINAL_STATUSES if event.type == "status" else before


def wait_for_end(
    job_id: str, on_change: Callable[[Job], None] | None, timeout_s: float | None, outage_s: float
) -> Operation[Job]:
    """Returns the job once it has a final status, whichever it is. Raises WaitTimedOut, ClientError.

    Events only tell when to request the job: ``on_change`` is given the job itself, whether events arrive or not.
    """
    poll, changes = _JobPoll(job_id), _ChangeSignal(job_id)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        before, job = poll.job, (yield from retrying(poll.request, RetryPolicy(outage_s)))
        if on_change and job != before:
            on_change(job)
        if job.finished:
            return job
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise WaitTimedOut(f"Job {job_id} is still {job.status} after {timeout_s:g} s.")
        yield from changes.wait(poll.interval_s, left)


class _JobPoll:
    """Requests a job; one that has not changed is sent without its body."""

    def __init__(self, job_id: str) -> None:
        self._path = job_path(job_id)
        self._tag = ""
        self.job: Job | None = None
        self.interval_s = DEFAULT_POLL_S

    def request(self) -> Operation[Job]:
        """Returns the job as it is now. Raises ClientError."""
        headers = {"If-None-Match": self._tag} if self._tag else {}
        answer = yield from call(Call("GET", self._path, headers=headers))
        self.interval_s = poll_interval(answer.headers)
        if answer.status == HTTPStatus.NOT_MODIFIED and self.job:
            return self.job
        self.job = job_from(answer)
        self._tag = answer.headers.get("etag", "")
        return self.job


class _ChangeSignal:
    """Waits until a job may have changed."""

    def __init__(self, job_id: str) -> None:
        self._stream = EventStream(job_id)
        self._tries_left = TRIES

    def wait(self, interval_s: float, left_s: float | None) -> Operation[None]:
        """Returns when an event arrives, after ``interval_s`` where there is no stream, soon after ``left_s``."""
        if not self._tries_left or (left_s is not None and left_s <= SILENCE_S):
            yield from pause(interval_s if left_s is None else min(interval_s, left_s))
            return
        arrived = yield from self._listen()
        # Events that come in bursts are answered by one request.
        yield from pause(SHORTEST_POLL_S if arrived else interval_s)

    def _listen(self) -> Operation[bool]:
        """Reads on in the stream. Returns whether the job should be requested at once."""
        try:
            if not self._stream.connected and not (yield from self._stream.connect()):
                return True  # the job has ended
            yield from self._stream.read()
        except ClientError as error:
            self._tries_left = self._tries_left - 1 if is_transient(error) else 0
            # A request for the job will say that it is gone.
            return isinstance(error, RequestRejected) and error.status == HTTPStatus.NOT_FOUND
        if self._stream.connected:
            self._tries_left = TRIES
        return self._stream.connected
