"""Following a job by events, and by asking where none get through."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.client import Job, RequestRejected, WaitTimedOut
from service.client.http.events import EventDecoder
from tests.unit.client.services import Clock, answering, client_of, job_json, problem

STREAM = (
    b'id: 1-0\nevent: status\ndata: {"status": "queued"}\n\n'
    b": still here\n\n"
    b'id: 2-0\r\nevent: progress\r\ndata: {"frames_done":\r\ndata: 12}\r\n\r\n'
    b'id: 3-0\nevent: status\ndata: {"status": "succeeded"}\n\n'
)


@pytest.mark.parametrize("size", [1, 2, 7, len(STREAM)])
def test_events_are_read_however_the_stream_is_cut(size: int) -> None:
    decoder = EventDecoder()
    events = [event for at in range(0, len(STREAM), size) for event in decoder.feed(STREAM[at : at + size])]
    assert [(event.id, event.type) for event in events] == [
        ("1-0", "status"),
        ("2-0", "progress"),
        ("3-0", "status"),
    ]
    assert events[1].data == {"frames_done": 12}
    assert decoder.last_id == "3-0"


def test_half_an_event_is_forgotten_with_its_connection() -> None:
    decoder = EventDecoder()
    decoder.feed(b'id: 1-0\ndata: {}\n\nid: 2-0\ndata: {"half"')
    decoder.restart()
    assert decoder.last_id == "1-0"
    assert [event.id for event in decoder.feed(b"id: 2-0\ndata: {}\n\n")] == ["2-0"]


def stream(*pieces: bytes | Exception) -> httpx.Response:
    def body() -> Iterator[bytes]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    return httpx.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, content=body())


def event(number: int, status: str) -> bytes:
    return f'id: {number}-0\nevent: status\ndata: {{"status": "{status}"}}\n\n'.encode()


@pytest.mark.usefixtures("clock")
def test_events_go_on_after_the_last_one_when_the_connection_breaks() -> None:
    answers = [
        stream(event(1, "queued"), event(2, "running")[:9], httpx.ReadError("lost")),
        problem(503, "broker_unavailable", "Redis is away"),
        stream(event(2, "running")),
        stream(event(3, "failed"), event(4, "running"), event(5, "succeeded")),
    ]
    asked: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        return answers.pop(0)

    with client_of(handler) as client:
        seen = [event.id for event in client.events("j1")]
    assert seen == ["1-0", "2-0", "3-0", "4-0", "5-0"]
    assert asked == [None, "1-0", "1-0", "2-0"]


@pytest.mark.usefixtures("clock")
def test_events_of_a_job_that_is_over_end() -> None:
    with client_of(answering(httpx.Response(204), streams=True)) as client:
        assert list(client.events("j1", after="9-0")) == []


def test_wait_looks_when_an_event_comes_and_tells_every_change_once(clock: Clock) -> None:
    jobs = [job_json("queued"), None, job_json("running"), job_json("succeeded")]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return stream(b": hello\n\n", event(2, "running"), event(3, "succeeded"))
        job = jobs.pop(0)
        if job is None:
            assert request.headers["If-None-Match"] == '"t"'
            return httpx.Response(304)
        return httpx.Response(200, json=job, headers={"Retry-After": "9", "ETag": '"t"'})

    seen: list[Job] = []
    with client_of(handler) as client:
        assert client.wait("j1", on_change=seen.append).status == "succeeded"
    assert [job.status for job in seen] == ["queued", "running", "succeeded"]
    assert clock.now < 1


def test_wait_asks_at_the_pace_of_the_service_where_streams_bring_nothing(clock: Clock) -> None:
    streams = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal streams
        if request.url.path.endswith("/events"):
            streams += 1
            return stream(httpx.ReadTimeout("held back by a proxy"))
        status = "running" if clock.now < 100 else "succeeded"
        return httpx.Response(200, json=job_json(status), headers={"Retry-After": "5"})

    with client_of(handler) as client:
        client.wait("j1")
    assert streams == 3
    assert set(clock.naps) == {5.0}


def test_wait_keeps_the_pace_the_service_asks_for(clock: Clock) -> None:
    running = httpx.Response(200, json=job_json("running"), headers={"Retry-After": "3"})
    seen: list[Job] = []
    with client_of(answering(running, httpx.Response(200, json=job_json("succeeded")))) as client:
        job = client.wait("j1", on_change=seen.append)
    assert job.status == "succeeded"
    assert [each.status for each in seen] == ["running", "succeeded"]
    assert clock.naps == [3.0]


@pytest.mark.parametrize(
    ("asked", "nap"), [("0", 0.1), ("86400", 30.0), ("Wed, 01 Jan 2031 00:00:00 GMT", 1.0)]
)
def test_wait_neither_hammers_nor_sleeps_for_ever(clock: Clock, asked: str, nap: float) -> None:
    running = httpx.Response(200, json=job_json("running"), headers={"Retry-After": asked})
    with client_of(answering(running, httpx.Response(200, json=job_json("failed")))) as client:
        client.wait("j1")
    assert clock.naps == [nap]


def test_wait_sits_out_a_short_outage(clock: Clock) -> None:
    outage = (httpx.ConnectError("refused"), problem(503, "broker_unavailable", "Redis is away"))
    done = httpx.Response(200, json=job_json("succeeded"))
    with client_of(answering(*outage, done)) as client:
        assert client.wait("j1").finished
    assert len(clock.naps) == 2


def test_wait_does_not_ask_again_for_a_job_that_is_gone(clock: Clock) -> None:
    gone = problem(404, "job_not_found", "no such job")
    with client_of(answering(gone)) as client, pytest.raises(RequestRejected, match="no such job"):
        client.wait("j1")
    assert clock.naps == []


def test_wait_ends_at_its_time_limit(clock: Clock) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=job_json("running"), headers={"Retry-After": "10"})

    with client_of(handler) as client, pytest.raises(WaitTimedOut, match="still running"):
        client.wait("j1", timeout_s=13)
    assert clock.now == 13
