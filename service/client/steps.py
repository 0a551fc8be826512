"""What the client asks of the outside world, as values: nothing here sends, waits or blocks.

A flow is a generator that yields steps and is sent their outcomes. Every operation of the client is written once,
as a flow; ``service.client.sync_client`` and ``service.client.async_client`` are two ways to perform steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from service.client.errors import SourceChanged

T = TypeVar("T")

Transferred = Callable[[int, int], None]
"""Called with (bytes done, bytes in total) while a file is sent or fetched."""

CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class FilePart:
    """A file from ``offset`` to its end, as the body of a request or as a part of a form."""

    path: Path
    size: int
    offset: int = 0
    on_sent: Transferred | None = None

    def chunks(self) -> Iterator[bytes]:
        """Raises SourceChanged when the file is shorter than it was."""
        left = self.size - self.offset
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while left > 0:
                data = file.read(min(CHUNK_BYTES, left))
                if not data:
                    raise SourceChanged(f"{self.path} became shorter while it was sent")
                yield data
                left -= len(data)


@dataclass(frozen=True)
class Call:
    """A request. Its outcome is an Answer; with ``stream``, Reads then give the body piece by piece."""

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
    """How long bytes may stand still in either direction; None is the client's own limits."""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        file = self.file.size - self.file.offset if self.file else 0
        return len(self.body) + file + len(self.ending)

    def pieces(self) -> Iterator[bytes]:
        """The body, read from disk as it is asked for."""
        yield self.body
        if self.file:
            yield from self.file.chunks()
        yield self.ending


class Sent:
    """Tells how much of a call's file is on its way."""

    def __init__(self, request: Call) -> None:
        self._file = request.file
        self._done = (request.file.offset if request.file else 0) - len(request.body)

    def count(self, piece: bytes) -> None:
        self._done += len(piece)
        if self._file and self._file.on_sent and 0 < self._done <= self._file.size:
            self._file.on_sent(self._done, self._file.size)


@dataclass(frozen=True)
class Read:
    """Its outcome is the next piece of the streamed answer, empty at its end."""


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Work:
    """Something that may block on a disk; its outcome is what it returns."""

    do: Callable[[], Any]


@dataclass(frozen=True)
class Emit:
    """A value for whoever iterates over the flow."""

    value: Any


Step = Call | Read | Pause | Work | Emit
Flow = Generator[Step, Any, T]


@dataclass(frozen=True)
class Answer:
    """``headers`` are looked up in lower case; ``content`` is empty while a streamed answer is still to be read."""

    status: int
    reason: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def success(self) -> bool:
        return 200 <= self.status < 300


def job_path(job_id: str, *rest: str) -> str:
    """``/jobs/<id>/...``; an id that is none stays within its place."""
    return "/".join(("/jobs", quote(job_id, safe=""), *rest))


def call(request: Call) -> Flow[Answer]:
    return cast(Answer, (yield request))


def read() -> Flow[bytes]:
    return cast(bytes, (yield Read()))


def pause(seconds: float) -> Flow[None]:
    yield Pause(seconds)


def work(do: Callable[[], T]) -> Flow[T]:
    return cast(T, (yield Work(do)))


class Course(Generic[T]):
    """A flow on its way: the step to perform next, None once there is a result."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.step: Step | None = None
        self._result: T | None = None
        self._go(lambda: flow.send(None))

    @property
    def result(self) -> T:
        return cast(T, self._result)

    def answer(self, outcome: Any) -> None:
        self._go(lambda: self._flow.send(outcome))

    def fail(self, error: Exception) -> None:
        """The step raised ``error``; so does this, unless the flow knows what to do."""
        self._go(lambda: self._flow.throw(error))

    def close(self) -> None:
        """Let the flow tidy up when it is left in the middle."""
        self._flow.close()

    def _go(self, resume: Callable[[], Step]) -> None:
        try:
            self.step = resume()
        except StopIteration as end:
            self.step, self._result = None, end.value
