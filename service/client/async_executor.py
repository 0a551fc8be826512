"""Performs the effects of operations in an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import anyio
import httpx
from anyio.to_thread import run_sync

from service.client.effects import Effect, Pause, Read, Work
from service.client.execution import Execution
from service.client.http.calls import Answer, Call, SendProgress
from service.client.http.transport import build_request, to_answer, transport_errors


class AsyncExecutor:
    """Performs the effects of one operation, which has at most one streamed answer open."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def perform(self, execution: Execution[Any]) -> None:
        """Performs the next effect, and hands its outcome to the operation."""
        assert execution.effect is not None
        try:
            outcome = await self._outcome(execution.effect)
        except Exception as error:  # noqa: BLE001  # the operation handles it or raises it again
            execution.fail(error)
        else:
            execution.resume(outcome)

    async def aclose(self) -> None:
        if self._open:
            await self._open.aclose()
            self._open = None

    async def _outcome(self, effect: Effect) -> Any:
        match effect:
            case Call():
                return await self._call(effect)
            case Read():
                assert self._pieces
                with transport_errors(self._http.base_url):
                    return await anext(self._pieces, b"")
            case Pause():
                return await anyio.sleep(effect.seconds)
            case Work():
                return await run_sync(effect.do)
        raise TypeError(effect)

    async def _call(self, call: Call) -> Answer:
        with transport_errors(self._http.base_url):
            request = build_request(self._http, call, _body(call))
            response = await self._http.send(request, stream=True)
            if call.stream and response.is_success:
                await self.aclose()
                self._open, self._pieces = response, response.aiter_bytes()
                return to_answer(response)
            async with aclosing(response):
                return to_answer(response, await response.aread())


async def _body(call: Call) -> AsyncIterator[bytes]:
    """Yields the body, read in threads, so that a slow disk does not block the event loop."""
    progress, pieces = SendProgress(call), call.pieces()
    while (piece := await run_sync(_next, pieces)) is not None:
        yield piece
        progress.count(piece)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
