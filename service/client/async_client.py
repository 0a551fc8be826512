"""The client for asyncio."""

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

from service.client.model import Description, Estimate, Event, Job, Sharpness
from service.client.operations import Flows
from service.client.retry_policy import OUTAGE_S
from service.client.sending import RESUMABLE_FROM_BYTES, Submission
from service.client.steps import (
    Answer,
    Call,
    Course,
    Emit,
    Flow,
    Pause,
    Read,
    Sent,
    Step,
    T,
    Transferred,
    Work,
)
from service.client.transport import answer_of, build, settings, transport_errors


class AsyncClient:
    """What ``Client`` is, for asyncio; callbacks are plain functions, called in the event loop."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        outage_s: float = OUTAGE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._flows = Flows(outage_s)
        with transport_errors(url):
            self._http = httpx.AsyncClient(**settings(url, key), transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def submit(  # one parameter per choice
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: Transferred | None = None,
        idempotency_key: str | None = None,
        resumable_from: int = RESUMABLE_FROM_BYTES,
    ) -> Job:
        key = idempotency_key or uuid.uuid4().hex
        return await self._run(
            self._flows.submit(Submission(Path(video), key, dict(options or {}), resumable_from, on_sent))
        )

    async def job(self, job_id: str) -> Job:
        return await self._run(self._flows.job(job_id))

    def jobs(self, *, status: str | None = None, page_size: int = 50) -> AsyncIterator[Job]:
        return self._iterate(self._flows.jobs(status, page_size))

    async def wait(
        self, job_id: str, *, on_change: Callable[[Job], None] | None = None, timeout_s: float | None = None
    ) -> Job:
        return await self._run(self._flows.wait(job_id, on_change, timeout_s))

    def events(self, job_id: str, *, after: str = "") -> AsyncIterator[Event]:
        return self._iterate(self._flows.events(job_id, after))

    async def download(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_received: Transferred | None = None,
        keep_part: bool = True,
    ) -> Path:
        return await self._run(self._flows.download(job_id, Path(output), on_received, keep_part=keep_part))

    async def cancel(self, job_id: str) -> Job:
        return await self._run(self._flows.cancel(job_id))

    async def retry(self, job_id: str) -> Job:
        return await self._run(self._flows.retry(job_id))

    async def delete(self, job_id: str) -> None:
        await self._run(self._flows.delete(job_id))

    async def report(self, job_id: str) -> dict[str, Any]:
        return await self._run(self._flows.report(job_id))

    async def preview(self, job_id: str, frame: int, *, view: str = "after") -> bytes:
        return await self._run(self._flows.preview(job_id, frame, view))

    async def sharpness(self, job_id: str) -> Sharpness:
        return await self._run(self._flows.sharpness(job_id))

    async def models(self) -> list[dict[str, Any]]:
        return await self._run(self._flows.models())

    async def estimate(self, video: Description) -> Estimate:
        return await self._run(self._flows.estimate(video))

    async def estimate_file(
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: Transferred | None = None,
    ) -> Estimate:
        return await self._run(self._flows.estimate_file(Path(video), dict(options or {}), on_sent))

    async def _run(self, flow: Flow[T]) -> T:
        async with aclosing(_Performer(self._http)) as performer:
            with closing(Course(flow)) as course:
                while course.step is not None:
                    await performer.take(course)
                return course.result

    async def _iterate(self, flow: Flow[None]) -> AsyncIterator[Any]:
        async with aclosing(_Performer(self._http)) as performer:
            with closing(Course(flow)) as course:
                while course.step is not None:
                    if isinstance(course.step, Emit):
                        yield course.step.value
                        course.answer(None)
                    else:
                        await performer.take(course)


class _Performer:
    """Performs the steps of one flow, which has at most one streamed answer open."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def take(self, course: Course[Any]) -> None:
        """One step further."""
        assert course.step is not None
        try:
            outcome = await self._outcome(course.step)
        except Exception as error:  # noqa: BLE001  # the flow knows what to do about it, or raises it again
            course.fail(error)
        else:
            course.answer(outcome)

    async def aclose(self) -> None:
        if self._open:
            await self._open.aclose()
            self._open = None

    async def _outcome(self, step: Step) -> Any:
        match step:
            case Call():
                return await self._call(step)
            case Read():
                assert self._pieces
                with transport_errors(self._http.base_url):
                    return await anext(self._pieces, b"")
            case Pause():
                return await anyio.sleep(step.seconds)
            case Work():
                return await run_sync(step.do)
        raise TypeError(step)

    async def _call(self, step: Call) -> Answer:
        with transport_errors(self._http.base_url):
            request = build(self._http, step, _body(step))
            response = await self._http.send(request, stream=True)
            if step.stream and response.is_success:
                await self.aclose()
                self._open, self._pieces = response, response.aiter_bytes()
                return answer_of(response)
            async with aclosing(response):
                return answer_of(response, await response.aread())


async def _body(step: Call) -> AsyncIterator[bytes]:
    """Read in threads: a slow disk does not hold the event loop up."""
    sent, pieces = Sent(step), step.pieces()
    while (piece := await run_sync(_next, pieces)) is not None:
        yield piece
        sent.count(piece)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
