"""The client that blocks."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx

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


class Client:
    """One service, one connection pool. Methods raise the ClientError branch of ``service.errors.base``.

    ``key`` is sent as a bearer token; without it the environment's CDVD_KEY is, if there is one. ``outage_s`` is
    how long the service may be away in the middle of something.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        outage_s: float = OUTAGE_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._flows = Flows(outage_s)
        with transport_errors(url):
            self._http = httpx.Client(**settings(url, key), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(  # one parameter per choice
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: Transferred | None = None,
        idempotency_key: str | None = None,
        resumable_from: int = RESUMABLE_FROM_BYTES,
    ) -> Job:
        """Upload ``video`` and return the queued job.

        ``options`` are the text parts that POST /jobs takes, for example ``{"model": "cdvd_lite"}``. A file of
        ``resumable_from`` bytes or more goes on where a broken connection left it, a smaller one is sent again.
        However often that is, it makes one job; under the same ``idempotency_key`` so do several calls.
        """
        key = idempotency_key or uuid.uuid4().hex
        return self._run(
            self._flows.submit(Submission(Path(video), key, dict(options or {}), resumable_from, on_sent))
        )

    def job(self, job_id: str) -> Job:
        return self._run(self._flows.job(job_id))

    def jobs(self, *, status: str | None = None, page_size: int = 50) -> Iterator[Job]:
        """All jobs, newest first, fetched page by page as they are asked for."""
        return self._iterate(self._flows.jobs(status, page_size))

    def wait(
        self, job_id: str, *, on_change: Callable[[Job], None] | None = None, timeout_s: float | None = None
    ) -> Job:
        """The job once it has a final status, whichever it is; ``on_change`` gets it whenever it is another.

        Follows the event stream, and asks at the pace that the service wishes where none gets through.
        Raises WaitTimedOut after ``timeout_s``.
        """
        return self._run(self._flows.wait(job_id, on_change, timeout_s))

    def events(self, job_id: str, *, after: str = "") -> Iterator[Event]:
        """The job's events after the one with the id ``after``, as they happen, until the job is over."""
        return self._iterate(self._flows.events(job_id, after))

    def download(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_received: Transferred | None = None,
        keep_part: bool = True,
    ) -> Path:
        """Fetch the result into ``output``, which appears whole or not at all, and replaces what was there.

        A broken connection is taken up where it broke. With ``keep_part``, so is a download that was given up:
        what has arrived stays beside ``output`` under a hidden name. Raises RequestRejected while there is no
        result, DownloadDamaged when the bytes are not those that the job announces.
        """
        return self._run(self._flows.download(job_id, Path(output), on_received, keep_part=keep_part))

    def cancel(self, job_id: str) -> Job:
        return self._run(self._flows.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Go on with a failed or canceled job from its finished segments."""
        return self._run(self._flows.retry(job_id))

    def delete(self, job_id: str) -> None:
        self._run(self._flows.delete(job_id))

    def report(self, job_id: str) -> dict[str, Any]:
        """The fidelity report, as the service wrote it."""
        return self._run(self._flows.report(job_id))

    def preview(self, job_id: str, frame: int, *, view: str = "after") -> bytes:
        """A frame as JPEG; ``view`` is before, after, side or prior."""
        return self._run(self._flows.preview(job_id, frame, view))

    def sharpness(self, job_id: str) -> Sharpness:
        """How sharp every frame was and became, so far."""
        return self._run(self._flows.sharpness(job_id))

    def models(self) -> list[dict[str, Any]]:
        """The models that jobs may name, as the service describes them."""
        return self._run(self._flows.models())

    def estimate(self, video: Description) -> Estimate:
        """What a video of these figures would take."""
        return self._run(self._flows.estimate(video))

    def estimate_file(
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: Transferred | None = None,
    ) -> Estimate:
        """The same for a file, which is sent, looked at and forgotten."""
        return self._run(self._flows.estimate_file(Path(video), dict(options or {}), on_sent))

    def _run(self, flow: Flow[T]) -> T:
        with closing(_Performer(self._http)) as performer, closing(Course(flow)) as course:
            while course.step is not None:
                performer.take(course)
            return course.result

    def _iterate(self, flow: Flow[None]) -> Iterator[Any]:
        with closing(_Performer(self._http)) as performer, closing(Course(flow)) as course:
            while course.step is not None:
                if isinstance(course.step, Emit):
                    yield course.step.value
                    course.answer(None)
                else:
                    performer.take(course)


class _Performer:
    """Performs the steps of one flow, which has at most one streamed answer open."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def take(self, course: Course[Any]) -> None:
        """One step further."""
        assert course.step is not None
        try:
            outcome = self._outcome(course.step)
        except Exception as error:  # noqa: BLE001  # the flow knows what to do about it, or raises it again
            course.fail(error)
        else:
            course.answer(outcome)

    def close(self) -> None:
        if self._open:
            self._open.close()
            self._open = None

    def _outcome(self, step: Step) -> Any:
        match step:
            case Call():
                return self._call(step)
            case Read():
                with transport_errors(self._http.base_url):
                    return next(self._pieces, b"")
            case Pause():
                return time.sleep(step.seconds)
            case Work():
                return step.do()
        raise TypeError(step)

    def _call(self, step: Call) -> Answer:
        with transport_errors(self._http.base_url):
            request = build(self._http, step, _body(step))
            response = self._http.send(request, stream=True)
            if step.stream and response.is_success:
                self.close()
                self._open, self._pieces = response, response.iter_bytes()
                return answer_of(response)
            with closing(response):
                return answer_of(response, response.read())


def _body(step: Call) -> Iterator[bytes]:
    sent = Sent(step)
    for piece in step.pieces():
        yield piece
        sent.count(piece)
