"""What an operation of the client asks of the outside world, as values: nothing here sends, waits or blocks.

An operation is a generator that yields effects and is sent their outcomes. So every operation is written once, and
``service.client.executor`` and ``service.client.async_executor`` are two ways to perform effects.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from service.client.http.calls import Answer, Call

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """Reads on in the streamed answer. Its outcome is the next piece of the body, empty at the end."""


@dataclass(frozen=True)
class Pause:
    """Waits."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Does something that may block on a disk. Its outcome is what that returns."""

    do: Callable[[], Any]


@dataclass(frozen=True)
class Emit:
    """Hands a value to whoever iterates over the operation."""

    value: Any


Effect = Call | Read | Pause | Work | Emit
Operation = Generator[Effect, Any, T]


def call(request: Call) -> Operation[Answer]:
    """Sends a request and returns its answer, whatever its status."""
    return cast(Answer, (yield request))


def read() -> Operation[bytes]:
    """Returns the next piece of the streamed answer, empty at its end."""
    return cast(bytes, (yield Read()))


def pause(seconds: float) -> Operation[None]:
    """Waits for some seconds."""
    yield Pause(seconds)


def work(do: Callable[[], T]) -> Operation[T]:
    """Returns what ``do`` returns, which may block on a disk."""
    return cast(T, (yield Work(do)))
