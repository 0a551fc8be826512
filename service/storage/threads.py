"""Runs what waits for the disk in few threads of their own, so that requests that do not need it get theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

AT_ONCE = 8
"""Enough for a disk to order what is asked of it."""

_limiter: RunVar[CapacityLimiter] = RunVar("disk_threads")


async def on_disk(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Calls ``function`` in one of the disk's threads and returns what it returns; raises what it raises."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return await run_sync(function, *arguments, limiter=limiter)
