"""The HTTP client against small hand-written services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from service import client as client_module
from service.client import Client, Job
from service.errors import DownloadDamaged, RequestRejected, ServiceUnreachable, WaitTimedOut

VIDEO = bytes(range(256)) * 4096
Handler = Callable[[httpx.Request], httpx.Response]


def job_json(status: str = "queued", **parts: object) -> dict[str, object]:
    return {"id": "j1", "status": status, "model": "cdvd_lite", "created_at": "2026-01-01T00:00:00Z"} | parts


def output_json(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "frames": 8, "sha256": hashlib.sha256(data).hexdigest(), "added_later": 1}


def problem(status: int, code: str, detail: str) -> httpx.Response:
    body = json.dumps({"title": "No", "detail": detail, "status": status, "code": code})
    return httpx.Response(status, content=body, headers={"Content-Type": "application/problem+json"})


def client_of(handler: Handler) -> Client:
    return Client("http://service.test", transport=httpx.MockTransport(handler))


def answering(*answers: httpx.Response | Exception) -> Handler:
    """A service that gives these answers in turn."""
    waiting = list(answers)

    def handler(_request: httpx.Request) -> httpx.Response:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that ``wait`` would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    return slept


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "shaky clip.mp4"
    path.write_bytes(VIDEO)
    return path


def test_submit_sends_the_options_ahead_of_the_whole_file(video: Path) -> None:
    bodies: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        assert request.headers["Content-Length"] == str(len(bodies[0]))
        return httpx.Response(202, json=job_json())

    with client_of(handler) as client:
        job = client.submit(video, options={"model": "cdvd_lite"})

    (body,) = bodies
    assert job.id == "j1"
    assert 0 < body.index(b'name="model"') < body.index(b'name="video"; filename="shaky clip.mp4"')
    assert VIDEO in body


def test_submit_tells_how_much_was_sent(video: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(202, json=job_json())

    sent: list[tuple[int, int]] = []
    with client_of(handler) as client:
        client.submit(video, on_sent=lambda done, total: sent.append((done, total)))

    assert sent == sorted(sent)
    assert len(sent) > 3
    assert sent[-1] == (len(VIDEO), len(VIDEO))


def test_a_problem_becomes_an_error_with_its_code_and_words(video: Path) -> None:
    refusal = problem(415, "not_a_video", "this is a text file")
    with client_of(answering(refusal)) as client, pytest.raises(RequestRejected) as caught:
        client.submit(video)
    assert (caught.value.code, caught.value.status, str(caught.value)) == (
        "not_a_video",
        415,
        "this is a text file",
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(502, content=b"{", headers={"Content-Type": "application/problem+json"}),
        httpx.Response(502, content=b"[]", headers={"Content-Type": "application/problem+json"}),
    ],
)
def test_an_error_that_is_no_problem_document_names_the_status(answer: httpx.Response) -> None:
    with client_of(answering(answer)) as client, pytest.raises(RequestRejected, match="502 Bad Gateway"):
        client.job("j1")


def test_a_success_that_is_not_ours_is_an_error_of_the_address() -> None:
    stranger = httpx.Response(200, text="<html>some other server</html>")
    with (
        client_of(answering(stranger)) as client,
        pytest.raises(ServiceUnreachable, match="not this service"),
    ):
        client.job("j1")


def test_no_answer_is_service_unreachable() -> None:
    with (
        client_of(answering(httpx.ConnectError("refused"))) as client,
        pytest.raises(ServiceUnreachable, match=r"http://service\.test.*refused"),
    ):
        client.job("j1")


@pytest.mark.parametrize("url", ["localhost:8000", "", "ftp://service.test", "http://[::1"])
def test_an_address_that_is_none_is_service_unreachable(url: str) -> None:
    with pytest.raises(ServiceUnreachable), Client(url) as client:
        client.job("j1")


def test_wait_keeps_the_pace_the_service_asks_for(naps: list[float]) -> None:
    running = httpx.Response(200, json=job_json("running"), headers={"Retry-After": "3"})
    seen: list[Job] = []
    with client_of(answering(running, httpx.Response(200, json=job_json("succeeded")))) as client:
        job = client.wait("j1", on_change=seen.append)
    assert job.status == "succeeded"
    assert [each.status for each in seen] == ["running", "succeeded"]
    assert naps == [3.0]


@pytest.mark.parametrize(
    ("asked", "nap"), [("0", 0.1), ("86400", 30.0), ("Wed, 01 Jan 2031 00:00:00 GMT", 1.0)]
)
def test_wait_neither_hammers_nor_sleeps_for_ever(naps: list[float], asked: str, nap: float) -> None:
    running = httpx.Response(200, json=job_json("running"), headers={"Retry-After": asked})
    with client_of(answering(running, httpx.Response(200, json=job_json("failed")))) as client:
        client.wait("j1")
    assert naps == [nap]


def test_wait_sits_out_a_short_outage(naps: list[float]) -> None:
    outage = (httpx.ConnectError("refused"), problem(503, "broker_unavailable", "Redis is away"))
    done = httpx.Response(200, json=job_json("succeeded"))
    with client_of(answering(*outage, done)) as client:
        assert client.wait("j1").finished
    assert len(naps) == 2


def test_wait_does_not_ask_again_for_a_job_that_is_gone(naps: list[float]) -> None:
    gone = problem(404, "job_not_found", "no such job")
    with client_of(answering(gone)) as client, pytest.raises(RequestRejected, match="no such job"):
        client.wait("j1")
    assert naps == []


def test_wait_ends_at_its_time_limit(naps: list[float]) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=job_json("running"))

    with client_of(handler) as client, pytest.raises(WaitTimedOut, match="still running"):
        client.wait("j1", timeout_s=0)
    assert naps == []


def serving(data: bytes, announced: bytes) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jobs/j1":
            return httpx.Response(200, json=job_json("succeeded", output=output_json(announced)))
        assert request.url.path == "/jobs/j1/result"
        return httpx.Response(200, content=data)

    return handler


def test_download_replaces_the_output_with_the_whole_result(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"old")
    received: list[tuple[int, int]] = []
    with client_of(serving(VIDEO, VIDEO)) as client:
        client.download("j1", output, on_received=lambda done, total: received.append((done, total)))
    assert output.read_bytes() == VIDEO
    assert received[-1] == (len(VIDEO), len(VIDEO))
    assert list(tmp_path.iterdir()) == [output]


def test_a_damaged_download_leaves_the_old_output_alone(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"old")
    with client_of(serving(VIDEO[:-1], VIDEO)) as client, pytest.raises(DownloadDamaged):
        client.download("j1", output)
    assert output.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [output]


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with client_of(serving(VIDEO, VIDEO)) as client, pytest.raises(KeyboardInterrupt):
        client.download("j1", tmp_path / "out.mp4", on_received=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_downloading_too_early_gives_the_reason(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/result"):
            return problem(409, "job_not_finished", "the job is still running")
        return httpx.Response(200, json=job_json("running"))

    with client_of(handler) as client, pytest.raises(RequestRejected, match="still running"):
        client.download("j1", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_fetched_page_by_page_as_needed() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        asked.append(query)
        start = int(query.get("cursor", "0"))
        jobs = [job_json() | {"id": f"j{start + i}"} for i in range(2)]
        return httpx.Response(200, json={"jobs": jobs, "next_cursor": str(start + 2) if start < 4 else None})

    with client_of(handler) as client:
        jobs = client.jobs(status="queued", page_size=2)
        assert next(jobs).id == "j0"
        assert len(asked) == 1
        assert [job.id for job in jobs] == ["j1", "j2", "j3", "j4", "j5"]
    assert asked[-1] == {"limit": "2", "status": "queued", "cursor": "4"}
