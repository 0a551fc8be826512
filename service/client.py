"""A typed client for the HTTP API, synchronous, on httpx.

    with Client("http://127.0.0.1:8000") as client:
        job = client.submit(Path("shaky.mp4"))
        job = client.wait(job.id, on_change=lambda job: print(job.progress.fraction))
        client.download(job.id, Path("sharp.mp4"))

Errors are the ClientError branch of ``service.errors``.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

import httpx

from service.errors import DownloadDamaged, RequestRejected, ServiceUnreachable, WaitTimedOut

Transferred = Callable[[int, int], None]
"""Called with (bytes done, bytes in total) while a file is sent or fetched."""

FINAL_STATUSES = frozenset({"succeeded", "failed", "canceled", "expired"})
DEFAULT_POLL_S = 1.0
SHORTEST_POLL_S, LONGEST_POLL_S = 0.1, 30.0
OUTAGE_PATIENCE_S = 30.0
"""How long ``wait`` goes on asking a service that gives no answer: a gateway restarts in less."""
TIMEOUTS = httpx.Timeout(30.0, connect=5.0, write=None, pool=None)
"""A slow disk behind the gateway may hold an upload's next bytes back for any time, hence no write limit."""
CHUNK_BYTES = 1 << 18

T = TypeVar("T")


def _read(cls: type[T], data: Mapping[str, Any]) -> T:
    """Build a dataclass from the keys that it knows: a newer service may send more."""
    return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Problem:
    """A problem document (RFC 9457); ``code`` is stable, the texts are for people."""

    title: str = ""
    detail: str = ""
    status: int = 0
    code: str = "unknown"


@dataclass(frozen=True)
class Progress:
    frames_done: int = 0
    frames_total: int = 0
    fraction: float = 0.0
    frames_per_second: float | None = None
    eta_s: float | None = None
    stage: str | None = None


@dataclass(frozen=True)
class Input:
    """What the service found out about the upload; sizes in pixels, before rotation."""

    filename: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    frames: int = 0
    fps: float = 0.0
    duration_s: float = 0.0


@dataclass(frozen=True)
class Output:
    bytes: int
    frames: int
    sha256: str | None = None
    container: str = "mp4"


@dataclass(frozen=True)
class Job:
    id: str
    status: str
    model: str
    created_at: str
    progress: Progress
    input: Input | None
    output: Output | None
    error: Problem | None

    @property
    def finished(self) -> bool:
        return self.status in FINAL_STATUSES

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Job:
        return Job(
            id=data["id"],
            status=data["status"],
            model=data.get("model", ""),
            created_at=data.get("created_at", ""),
            progress=_read(Progress, data.get("progress") or {}),
            input=_read(Input, data["input"]) if data.get("input") else None,
            output=_read(Output, data["output"]) if data.get("output") else None,
            error=_read(Problem, data["error"]) if data.get("error") else None,
        )


class Client:
    """One service, one connection pool. Not for use from several threads at once."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        with _transport_errors(url):
            self._http = httpx.Client(base_url=url, timeout=TIMEOUTS, transport=transport)
        self._http.headers["Accept-Encoding"] = "identity"  # Content-Length is then what arrives
        self._http.follow_redirects = True  # results may be in an object store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def submit(
        self, video: Path, *, options: Mapping[str, str] | None = None, on_sent: Transferred | None = None
    ) -> Job:
        """Upload ``video``, streamed from disk, and return the queued job.

        ``options`` are the text parts that POST /jobs takes, for example ``{"model": "cdvd_lite"}``; they go
        ahead of the file, so that the service can refuse them before it reads a byte of video.
        """
        with video.open("rb") as file:
            part = _CountedFile(file, video.stat().st_size, on_sent)
            files = {"video": (video.name, part, "application/octet-stream")}
            answer = self._send("POST", "/jobs", data=dict(options or {}), files=files)
        return Job.from_json(_json(answer))

    def job(self, job_id: str) -> Job:
        return Job.from_json(_json(self._send("GET", f"/jobs/{job_id}")))

    def jobs(self, *, status: str | None = None, page_size: int = 50) -> Iterator[Job]:
        """All jobs, newest first, fetched page by page as they are asked for."""
        query: dict[str, str | int] = {"limit": page_size} | ({"status": status} if status else {})
        while True:
            page = _json(self._send("GET", "/jobs", params=query))
            yield from map(Job.from_json, page["jobs"])
            if not page.get("next_cursor"):
                return
            query["cursor"] = page["next_cursor"]

    def wait(
        self, job_id: str, *, on_change: Callable[[Job], None] | None = None, timeout_s: float | None = None
    ) -> Job:
        """Poll at the pace the service asks for until the job has a final status, whichever it is.

        ``on_change`` gets every answer. An outage shorter than OUTAGE_PATIENCE_S is sat out.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            answer = self._ask_patiently(f"/jobs/{job_id}")
            job = Job.from_json(_json(answer))
            if on_change:
                on_change(job)
            if job.finished:
                return job
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimedOut(f"job {job_id} is still {job.status} after {timeout_s:g} s")
            time.sleep(_poll_interval(answer))

    def download(self, job_id: str, output: Path, *, on_received: Transferred | None = None) -> Path:
        """Fetch the result into ``output``, which appears whole or not at all, and replaces what was there.

        Raises RequestRejected while there is no result, DownloadDamaged when the bytes are not those the
        job announces.
        """
        expected = self.job(job_id).output
        part = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            digest = self._fetch(f"/jobs/{job_id}/result", part, on_received)
            if expected and expected.sha256 and digest != expected.sha256:
                raise DownloadDamaged(f"the result of job {job_id} arrived damaged; download it again")
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
        return output

    def cancel(self, job_id: str) -> None:
        self._send("POST", f"/jobs/{job_id}/cancel")

    def retry(self, job_id: str) -> None:
        self._send("POST", f"/jobs/{job_id}/retry")

    def delete(self, job_id: str) -> None:
        self._send("DELETE", f"/jobs/{job_id}")

    def report(self, job_id: str) -> dict[str, Any]:
        """The fidelity report, as the service wrote it."""
        return _json(self._send("GET", f"/jobs/{job_id}/report"))

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        with _transport_errors(self._http.base_url):
            return _checked(self._http.request(method, path, **request))

    def _ask_patiently(self, path: str) -> httpx.Response:
        give_up = time.monotonic() + OUTAGE_PATIENCE_S
        while True:
            try:
                return self._send("GET", path)
            except (ServiceUnreachable, RequestRejected) as error:
                if not _may_pass(error) or time.monotonic() >= give_up:
                    raise
                time.sleep(DEFAULT_POLL_S)

    def _fetch(self, path: str, part: Path, on_received: Transferred | None) -> str:
        """Stream ``path`` into ``part``; return the SHA-256 of what arrived."""
        digest, received = hashlib.sha256(), 0
        with _transport_errors(self._http.base_url), self._http.stream("GET", path) as answer:
            if answer.is_error:
                answer.read()
            total = int(_checked(answer).headers.get("Content-Length", 0))
            with part.open("wb") as file:
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    file.write(chunk)
                    digest.update(chunk)
                    received += len(chunk)
                    if on_received:
                        on_received(received, total)
        return digest.hexdigest()


class _CountedFile:
    """A file that tells how much of it was read. httpx takes its length from ``fileno``."""

    def __init__(self, file: BinaryIO, total: int, on_read: Transferred | None) -> None:
        self._file, self._total, self._on_read, self._done = file, total, on_read, 0

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        if self._on_read:
            self._on_read(self._done, self._total)
        return data


@contextmanager
def _transport_errors(url: httpx.URL | str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise ServiceUnreachable(f"no answer from {url}: {error or type(error).__name__}") from error


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    problem = _problem(answer)
    raise RequestRejected(problem.detail or problem.title, problem.code, problem.status)


def _problem(answer: httpx.Response) -> Problem:
    """The problem document of an error; a proxy in between may have answered with something else."""
    title = f"HTTP {answer.status_code} {answer.reason_phrase}"
    try:
        return _read(Problem, {"title": title, "status": answer.status_code} | _json(answer))
    except ServiceUnreachable:
        return Problem(title=title, status=answer.status_code)


def _json(answer: httpx.Response) -> dict[str, Any]:
    """The body, an object in every answer of this API."""
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ServiceUnreachable(f"what answers at {answer.url} is not this service")
    return value


def _may_pass(error: ServiceUnreachable | RequestRejected) -> bool:
    return isinstance(error, ServiceUnreachable) or error.status in {429, 502, 503, 504}


def _poll_interval(answer: httpx.Response) -> float:
    """Seconds until the next question. Retry-After may also be a date, which we need not understand."""
    try:
        asked = float(answer.headers.get("Retry-After", DEFAULT_POLL_S))
    except ValueError:
        asked = DEFAULT_POLL_S
    return min(max(asked, SHORTEST_POLL_S), LONGEST_POLL_S)
