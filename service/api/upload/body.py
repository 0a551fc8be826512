"""Reads a request's body while it is wanted, and for a moment longer when it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from service.errors.base import ServiceError

DRAIN_BYTES, DRAIN_S = 64 << 20, 5.0
"""How much of a refused body is still read, and for how long. Closing at once would reset the connection, and the
client would lose the answer that says why."""

Held = TypeVar("Held")


class RequestBody:
    """Reads the body once, in order."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._waits_for_consent = "100-continue" in request.headers.get("expect", "").lower()
        self._begun = False
        self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it arrives; its connection ends one that comes too slowly. Raises ClientDisconnect."""
        while not self._ended:
            yield await self._next()

    async def drain(self) -> None:
        """Reads on and forgets, unless the client waits for our consent before it sends."""
        if self._waits_for_consent and not self._begun:
            return
        left = DRAIN_BYTES
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(DRAIN_S):
                while left > 0 and not self._ended:
                    left -= len(await self._next())

    async def _next(self) -> bytes:
        self._begun = True
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._ended = True
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        return bytes(message.get("body", b""))


@asynccontextmanager
async def entered(manager: AbstractAsyncContextManager[Held], request: Request) -> AsyncIterator[Held]:
    """Enters ``manager`` before the body is read; drains the body if a ServiceError refuses to let it in."""
    async with AsyncExitStack() as stack:
        try:
            held = await stack.enter_async_context(manager)
        except ServiceError:
            await RequestBody(request).drain()
            raise
        yield held
