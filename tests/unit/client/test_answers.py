"""What becomes of answers that are none, are refusals, or are somebody else's."""

from __future__ import annotations

import httpx
import pytest

from service.client import AddressUnusable, Client, RequestRejected, ServiceUnreachable
from tests.unit.client.services import Clock, answering, client_of, job_json, problem


def test_a_problem_becomes_an_error_with_its_code_and_words() -> None:
    refusal = problem(404, "job_not_found", "there is no job j1")
    with client_of(answering(refusal)) as client, pytest.raises(RequestRejected) as caught:
        client.job("j1")
    error = caught.value
    assert (error.code, error.status, error.detail) == ("job_not_found", 404, "there is no job j1")


@pytest.mark.parametrize("content", [b"<html>bad gateway</html>", b"{", b"[]"])
def test_an_error_that_is_no_problem_document_names_the_status(content: bytes) -> None:
    answer = httpx.Response(502, content=content, headers={"Content-Type": "application/problem+json"})
    with (
        client_of(answering(answer), outage_s=0) as client,
        pytest.raises(RequestRejected, match="502 Bad Gateway"),
    ):
        client.job("j1")


@pytest.mark.parametrize("text", ["<html>some other server</html>", "{}", '{"id": 1}', "[]"])
def test_a_success_that_is_not_ours_is_an_error_of_the_address(text: str) -> None:
    stranger = httpx.Response(200, text=text)
    with client_of(answering(stranger)) as client, pytest.raises(AddressUnusable, match="not this service"):
        client.job("j1")


def test_no_answer_is_service_unreachable() -> None:
    with (
        client_of(answering(httpx.ConnectError("refused")), outage_s=0) as client,
        pytest.raises(ServiceUnreachable, match=r"http://service\.test.*refused"),
    ):
        client.job("j1")


@pytest.mark.parametrize("url", ["localhost:8000", "", "ftp://service.test", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(url: str, clock: Clock) -> None:
    with pytest.raises(AddressUnusable), Client(url) as client:
        client.job("j1")
    assert clock.naps == []


def test_a_service_that_was_never_there_is_given_up_sooner_than_one_that_went_away(clock: Clock) -> None:
    def absent(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def broken(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("connection lost")

    with client_of(absent) as client, pytest.raises(ServiceUnreachable):
        client.job("j1")
    assert 0.5 < clock.now <= 2
    clock.now = 0
    with client_of(broken) as client, pytest.raises(ServiceUnreachable):
        client.job("j1")
    assert 30 < clock.now <= 60


def test_pauses_after_failures_grow_and_honor_what_the_service_asks_for(clock: Clock) -> None:
    busy = problem(503, "broker_unavailable", "Redis is away")
    asked = problem(429, "rate_limited", "slowly", **{"Retry-After": "7"})
    done = httpx.Response(200, json=job_json("succeeded"))
    with client_of(answering(busy, busy, busy, asked, done)) as client:
        assert client.job("j1").finished
    bounds = [(0.1, 0.2), (0.2, 0.4), (0.4, 0.8), (7.8, 8.6)]
    assert all(low <= nap <= high for nap, (low, high) in zip(clock.naps, bounds, strict=True))


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
def test_what_is_not_safe_to_repeat_is_asked_once(action: str, clock: Clock) -> None:
    lost = answering(httpx.ReadError("connection lost"))
    with client_of(lost) as client, pytest.raises(ServiceUnreachable):
        getattr(client, action)("j1")
    assert clock.naps == []


def test_the_key_is_sent_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, json=job_json())

    monkeypatch.delenv("CDVD_KEY", raising=False)
    client_of(handler).job("j1")
    monkeypatch.setenv("CDVD_KEY", "from-the-environment")
    client_of(handler).job("j1")
    client_of(handler, key="given").job("j1")
    assert seen == [None, "Bearer from-the-environment", "Bearer given"]


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


def test_an_id_that_is_none_stays_within_its_place() -> None:
    paths: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return problem(404, "job_not_found", "no such job")

    with client_of(handler) as client, pytest.raises(RequestRejected):
        client.job("a/../../livez?x#y")
    assert paths == [b"/jobs/a%2F..%2F..%2Flivez%3Fx%23y"]
