"""Server-sent events (WHATWG HTML, section 9.2), from bytes as they come."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from service.client.model import Event

MEDIA_TYPE = "text/event-stream"


class EventParser:
    """Fed with pieces of a stream, cut anywhere; ``last_id`` survives a connection, half an event does not."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.restart()

    def restart(self) -> None:
        """A new connection."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._id, self._type, self._data = self.last_id, "", list[str]()

    def feed(self, data: bytes) -> list[Event]:
        """The events that are complete now."""
        self._text += self._decoder.decode(data)
        return list(self._events())

    def _events(self) -> Iterator[Event]:
        *lines, self._text = self._text.split("\n")
        for line in lines:
            if line.rstrip("\r"):
                self._field(line.rstrip("\r"))
            else:
                yield from self._dispatch()

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and "\0" not in value:
            self._id = value
        elif name == "event":
            self._type = value
        elif name == "data":
            self._data.append(value)

    def _dispatch(self) -> Iterator[Event]:
        self.last_id = self._id
        if self._data:
            yield Event(self._id, self._type or "message", _object("\n".join(self._data)))
        self._type, self._data = "", []


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"text": text}
