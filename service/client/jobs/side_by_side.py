"""Waits for the video that shows an upload beside its result, which a worker makes when it is first asked for."""

from __future__ import annotations

from http import HTTPStatus

from service.client.effects import Operation, call, pause
from service.client.errors import AddressUnusable
from service.client.http.answers import json_object, poll_interval, require_success
from service.client.http.calls import Answer, Call, TransferCallback
from service.client.model import Output
from service.client.retry_policy import RetryPolicy, retrying

_FIRST_BYTE = {"Range": "bytes=0-0"}
"""Asks whether the video is there, and how large it is, without fetching it."""


def await_side_by_side(path: str, on_made: TransferCallback | None, outage_s: float) -> Operation[Output]:
    """Returns what is at ``path`` once it was made; ``on_made`` is called with (frames done, frames in total).

    Raises RequestRejected where it cannot be made, ServiceUnreachable.
    """

    def attempt() -> Operation[Answer]:
        return require_success((yield from call(Call("GET", path, headers=_FIRST_BYTE))))

    while True:
        answer = yield from retrying(attempt, RetryPolicy(outage_s))
        if answer.status != HTTPStatus.ACCEPTED:
            return Output(_size(answer), frames=0)
        made = json_object(answer, "frames_done", "frames_total")
        if on_made:
            on_made(made["frames_done"], made["frames_total"])
        yield from pause(poll_interval(answer.headers))


def _size(answer: Answer) -> int:
    """Returns the bytes of the whole file, of which one was fetched."""
    total = answer.headers.get("content-range", "").rpartition("/")[2]
    if not total.isdecimal():
        raise AddressUnusable(f"What answers at {answer.url} does not say how large the video is.")
    return int(total)
