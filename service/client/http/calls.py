"""Requests and answers as values: nothing here sends or waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from service.client.errors import SourceChanged

TransferCallback = Callable[[int, int], None]
"""Called with (bytes done, bytes in total) while a file is sent or fetched."""

CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class FilePart:
    """A file from ``offset`` to its end, as the body of a request or as a part of a form. Sizes are in bytes."""

    path: Path
    size: int
    offset: int = 0
    on_sent: TransferCallback | None = None

    def chunks(self) -> Iterator[bytes]:
        """Reads the file piece by piece. Raises SourceChanged when it is shorter than it was."""
        left = self.size - self.offset
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while left > 0:
                data = file.read(min(CHUNK_BYTES, left))
                if not data:
                    raise SourceChanged(f"{self.path} became shorter while it was sent.")
                yield data
                left -= len(data)


@dataclass(frozen=True)
class Call:
    """A request. Its outcome is an Answer; with ``stream``, the body is then read piece by piece."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    json: Any = None
    body: bytes = b""
    file: FilePart | None = None
    """Goes between ``body`` and ``ending``."""
    ending: bytes = b""
    stream: bool = False
    silence_s: float | None = None
    """For how long no byte may move in either direction; None leaves it to the client's own limits."""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        file = self.file.size - self.file.offset if self.file else 0
        return len(self.body) + file + len(self.ending)

    def pieces(self) -> Iterator[bytes]:
        """Yields the body, read from disk as it is asked for. Raises SourceChanged."""
        yield self.body
        if self.file:
            yield from self.file.chunks()
        yield self.ending


class SendProgress:
    """Reports how much of a call's file has been handed to the connection."""

    def __init__(self, call: Call) -> None:
        self._file = call.file
        self._done = (call.file.offset if call.file else 0) - len(call.body)

    def count(self, piece: bytes) -> None:
        """Adds a piece of the body, and calls ``on_sent`` while pieces of the file are sent."""
        self._done += len(piece)
        if self._file and self._file.on_sent and 0 < self._done <= self._file.size:
            self._file.on_sent(self._done, self._file.size)


@dataclass(frozen=True)
class Answer:
    """An answer of the service. ``headers`` have names in lower case; ``content`` is empty while a streamed answer
    is still to be read.
    """

    status: int
    reason: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def success(self) -> bool:
        return 200 <= self.status < 300


def job_path(job_id: str, *rest: str) -> str:
    """Returns ``/jobs/<id>/...``; an id with slashes or dots cannot leave this path."""
    return "/".join(("/jobs", quote(job_id, safe=""), *rest))
