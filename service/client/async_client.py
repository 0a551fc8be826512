"""Provides the client for asyncio."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, Self

import httpx

from service.client.async_executor import AsyncExecutor
from service.client.effects import Emit, Operation, T
from service.client.execution import Execution
from service.client.http.calls import TransferCallback
from service.client.http.transport import http_settings, transport_errors
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

    async def submit_again(
        self, job_id: str, *, idempotency_key: str | None = None, **options: str | float | None
    ) -> Job:
        key = idempotency_key or uuid.uuid4().hex
        return await self._run(self._operations.submit_again(job_id, options, key))

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

    async def download_side_by_side(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_made: TransferCallback | None = None,
        on_received: TransferCallback | None = None,
    ) -> Path:
        return await self._run(
            self._operations.download_side_by_side(job_id, Path(output), on_made, on_received)
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
        async with aclosing(AsyncExecutor(self._http)) as executor:
            with closing(Execution(operation)) as execution:
                while execution.effect is not None:
                    await executor.perform(execution)
                return execution.result

    async def _iterate(self, operation: Operation[None]) -> AsyncIterator[Any]:
        async with aclosing(AsyncExecutor(self._http)) as executor:
            with closing(Execution(operation)) as execution:
                while execution.effect is not None:
                    if isinstance(execution.effect, Emit):
                        yield execution.effect.value
                        execution.resume(None)
                    else:
                        await executor.perform(execution)
