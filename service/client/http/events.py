"""Reads server-sent events (WHATWG HTML, section 9.2) from the pieces of a stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

from service.client.model import Event

MEDIA_TYPE = "text/event-stream"
_COMPLETE = re.compile(rb".*(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)", re.DOTALL)
"""Everything up to the last blank line, which ends an event."""


class EventDecoder:
    """Decodes a stream that comes in pieces, cut anywhere.

    ``last_id`` survives a connection, half an event does not. httpx-sse reads whole responses and would block until
    the next event; so whole events are handed to it as a response, and whoever follows a job gets control back with
    every piece, also with those that only keep the connection alive.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self._rest = b""

    def restart(self) -> None:
        """Begins with a new connection."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Returns the events that are complete with this piece."""
        self._rest += data
        complete = _COMPLETE.match(self._rest)
        if complete is None:
            return []
        self._rest = self._rest[complete.end() :]
        return list(self._events(complete[0]))

    def _events(self, data: bytes) -> Iterator[Event]:
        response = httpx.Response(200, headers={"Content-Type": MEDIA_TYPE}, content=data)
        for event in EventSource(response).iter_sse():
            self.last_id = event.id or self.last_id
            if event.data:
                yield Event(self.last_id, event.event, _json_object(event))


def _json_object(event: ServerSentEvent) -> dict[str, Any]:
    try:
        value = event.json()
    except json.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {"text": event.data}
