"""Provides the client for asyncio."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, Self

import anyio
import httpx
from anyio.to_thread import run_sync

from service.client.effects import Effect, Emit, Operation, Pause, Read, T, Work
from service.client.execution import Execution
from service.client.http.calls import Answer, Call, SendProgress, TransferCallback
from service.client.http.transport import build_request, http_settings, to_answer, transport_errors
from service.client.jobs.submission import RESUMABLE_FROM_BYTES, Submission
from service.client.model import Description, Estimate, Event, Job, Sharpness
from service.client.operations import Operations
from service.client.retry_policy import OUTAGE_S


class AsyncClient:
    """The same as ``Client`` for asyncio; callbacks are plain functions, called in the event loop."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        outage_s: float = OUTAGE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._operations = Operations(outage_s)
        with transport_errors(url):
            self._http = httpx.AsyncClient(**http_settings(url, key), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    async def submit(  # noqa: PLR0913  # one parameter per option
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: TransferCallback | None = None,
        idempotency_key: str | None = None,
        resumable_from: int = RESUMABLE_FROM_BYTES,
        upload: str | None = None,
        on_upload: Callable[[str], None] | None = None,
    ) -> Job:
        key, fields = idempotency_key or uuid.uuid4().hex, dict(options or {})
        return await self._run(
            self._operations.submit(
                Submission(Path(video), key, fields, resumable_from, on_sent, upload, on_upload)
            )
        )

    async def submit_url(
        self,
        input_url: str,
        *,
        output_url: str | None = None,
        idempotency_key: str | None = None,
        **options: str | float | None,
    ) -> Job:
        asked, key = {**options, "output_url": output_url}, idempotency_key or uuid.uuid4().hex
        return await self._run(self._operations.submit_url(input_url, asked, key))

    async def job(self, job_id: str) -> Job:
        return await self._run(self._operations.job(job_id))

    def jobs(self, *, status: str | None = None, page_size: int = 50) -> AsyncIterator[Job]:
        return self._iterate(self._operations.jobs(status, page_size))

    async def wait(
        self, job_id: str, *, on_change: Callable[[Job], None] | None = None, timeout_s: float | None = None
    ) -> Job:
        return await self._run(self._operations.wait(job_id, on_change, timeout_s))

    def events(self, job_id: str, *, after: str = "") -> AsyncIterator[Event]:
        return self._iterate(self._operations.events(job_id, after))

    async def download(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_received: TransferCallback | None = None,
        keep_part: bool = True,
    ) -> Path:
        return await self._run(
            self._operations.download(job_id, Path(output), on_received, keep_part=keep_part)
        )

    async def cancel(self, job_id: str) -> Job:
        return await self._run(self._operations.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        return await self._run(self._operations.retry(job_id))

    async def delete(self, job_id: str) -> None:
        await self._run(self._operations.delete(job_id))

    async def report(self, job_id: str) -> dict[str, Any]:
        return await self._run(self._operations.report(job_id))

    async def preview(self, job_id: str, frame: int, *, view: str = "after") -> bytes:
        return await self._run(self._operations.preview(job_id, frame, view))

    async def sharpness(self, job_id: str) -> Sharpness:
        return await self._run(self._operations.sharpness(job_id))

    async def models(self) -> list[dict[str, Any]]:
        return await self._run(self._operations.models())

    async def estimate(self, video: Description) -> Estimate:
        return await self._run(self._operations.estimate(video))

    async def estimate_file(
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: TransferCallback | None = None,
    ) -> Estimate:
        return await self._run(self._operations.estimate_file(Path(video), dict(options or {}), on_sent))

    async def _run(self, operation: Operation[T]) -> T:
        async with aclosing(_Executor(self._http)) as executor:
            with closing(Execution(operation)) as execution:
                while execution.effect is not None:
                    await executor.perform(execution)
                return execution.result

    async def _iterate(self, operation: Operation[None]) -> AsyncIterator[Any]:
        async with aclosing(_Executor(self._http)) as executor:
            with closing(Execution(operation)) as execution:
                while execution.effect is not None:
                    if isinstance(execution.effect, Emit):
                        yield execution.effect.value
                        execution.resume(None)
                    else:
                        await executor.perform(execution)


class _Executor:
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
