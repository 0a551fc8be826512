"""A request's body, read with patience while it is wanted, and for a moment longer when it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from service.errors.upload import MalformedRequest

IDLE_S = 60.0
"""A client that sends nothing for this long is gone."""

DRAIN_BYTES, DRAIN_S = 64 << 20, 5.0
"""How much of a refused body is still read, for how long. Closing at once would reset the connection, and the
client would lose the answer that says why."""


class RequestBody:
    """Reads the body once, in order."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._waits_for_consent = "100-continue" in request.headers.get("expect", "").lower()
        self._begun = False
        self._ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises ClientDisconnect, and MalformedRequest when nothing more comes."""
        while not self._ended:
            try:
                async with asyncio.timeout(IDLE_S):
                    chunk = await self._next()
            except TimeoutError:
                raise MalformedRequest(f"nothing more of the body came for {IDLE_S:g} seconds") from None
            yield chunk

    async def drain(self) -> None:
        """Read on and forget; not if the client waits for our consent before it sends."""
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
