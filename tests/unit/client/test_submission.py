"""Submitting: one form, or a resumable upload."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import httpx
import pytest

from service.client import RequestRejected, ServiceUnreachable, SourceChanged
from tests.unit.client.services import VIDEO, Clock, Handler, answering, client_of, job_json, problem


class Recorder:
    """Keeps what was sent to a service."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return self._handler(request)

    def keys(self) -> list[str]:
        return [
            request.headers["Idempotency-Key"] for request in self.requests if request.url.path == "/jobs"
        ]


def test_submit_sends_the_options_ahead_of_the_whole_file(video: Path) -> None:
    service = Recorder(answering(httpx.Response(202, json=job_json())))
    with client_of(service) as client:
        job = client.submit(video, options={"model": "cdvd_lite"})
    (request,) = service.requests
    body = request.content
    assert job.id == "j1"
    assert request.headers["Content-Length"] == str(len(body))
    assert 0 < body.index(b'name="model"') < body.index(b'name="video"; filename="shaky clip.mp4"')
    assert VIDEO in body


def test_a_file_name_cannot_break_the_form(video: Path) -> None:
    hostile = video.rename(video.with_name('a"; name="model\r\n\r\nb.mp4'))
    service = Recorder(answering(httpx.Response(202, json=job_json())))
    with client_of(service) as client:
        client.submit(hostile)
    assert b'filename="a%22; name=%22model%0D%0A%0D%0Ab.mp4"\r\n' in service.requests[0].content


def test_submit_tells_how_much_was_sent(video: Path) -> None:
    sent: list[tuple[int, int]] = []
    with client_of(Recorder(answering(httpx.Response(202, json=job_json())))) as client:
        client.submit(video, on_sent=lambda done, total: sent.append((done, total)))
    assert sent == sorted(sent)
    assert len(sent) > 3
    assert sent[-1] == (len(VIDEO), len(VIDEO))


def test_a_broken_submit_is_sent_again_under_the_same_key(video: Path, clock: Clock) -> None:
    lost, in_flight = httpx.ReadError("lost"), problem(409, "submission_in_flight", "wait")
    service = Recorder(answering(lost, in_flight, httpx.Response(202, json=job_json())))
    with client_of(service) as client:
        client.submit(video)
        assert len(set(service.keys())) == 1
        assert [VIDEO in request.content for request in service.requests] == [True] * 3
        assert len(clock.naps) == 2


def test_every_submit_has_a_key_of_its_own_unless_it_is_given(video: Path) -> None:
    accepted = [httpx.Response(202, json=job_json()) for _ in range(3)]
    service = Recorder(answering(*accepted))
    with client_of(service) as client:
        client.submit(video)
        client.submit(video)
        client.submit(video, idempotency_key="mine")
    assert len(set(service.keys())) == 3
    assert service.keys()[-1] == "mine"


def test_a_refusal_is_not_sent_again(video: Path, clock: Clock) -> None:
    refusal = problem(415, "not_a_video", "this is a text file")
    with (
        client_of(Recorder(answering(refusal))) as client,
        pytest.raises(RequestRejected, match="a text file"),
    ):
        client.submit(video)
    assert clock.naps == []


@pytest.mark.usefixtures("clock")
def test_too_many_submissions_are_spread(video: Path) -> None:
    slower = problem(429, "rate_limited", "slowly", **{"Retry-After": "3"})
    with client_of(Recorder(answering(slower, httpx.Response(202, json=job_json())))) as client:
        assert client.submit(video).id == "j1"


@pytest.mark.parametrize("code", ["too_many_jobs", "storage_quota_exceeded", "queue_full"])
def test_a_quota_is_not_waited_for(video: Path, clock: Clock, code: str) -> None:
    full = problem(429, code, "later", **{"Retry-After": "3"})
    with client_of(Recorder(answering(full))) as client, pytest.raises(RequestRejected, match="later"):
        client.submit(video)
    assert clock.naps == []


class Tus:
    """A service that keeps what arrives of an upload; its connections break after so many bytes."""

    def __init__(self, breaks_after: int) -> None:
        self.breaks_after = breaks_after
        self.kept = b""
        self.length = self.patches = 0
        self.name = self.form = b""
        self.refusals: list[httpx.Response] = []
        self.busy: list[httpx.Response] = []
        self.given_up = False
        self.gone: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        data = request.read()
        if request.url.path == "/jobs":
            self.form = data
            return self.refusals.pop() if self.refusals else httpx.Response(202, json=job_json())
        assert request.headers["Tus-Resumable"] == "1.0.0"
        if request.method == "POST":
            return self._create(request)
        if request.url.path.rpartition("/")[2] in self.gone:
            return problem(404, "upload_not_found", "gone")
        assert request.url.path == "/uploads/u1"
        if request.method == "DELETE":
            self.given_up = True
            return httpx.Response(204)
        if request.method == "HEAD":
            return httpx.Response(200, headers={"Upload-Offset": str(len(self.kept))})
        return self._append(request, data)

    def _create(self, request: httpx.Request) -> httpx.Response:
        self.length = int(request.headers["Upload-Length"])
        self.name = base64.b64decode(request.headers["Upload-Metadata"].removeprefix("filename "))
        return httpx.Response(201, headers={"Location": "http://service.test/uploads/u1"})

    def _append(self, request: httpx.Request, data: bytes) -> httpx.Response:
        self.patches += 1
        if self.busy:
            return self.busy.pop()
        assert request.headers["Content-Type"] == "application/offset+octet-stream"
        assert int(request.headers["Upload-Offset"]) == len(self.kept)
        assert int(request.headers["Content-Length"]) == len(data)
        self.kept += data[: self.breaks_after]
        if len(data) > self.breaks_after:
            raise httpx.WriteError("connection lost")
        return httpx.Response(204, headers={"Upload-Offset": str(len(self.kept))})


def test_a_large_file_goes_on_where_the_connection_broke(video: Path, clock: Clock) -> None:
    service, sent = Tus(breaks_after=400_000), list[int]()
    with client_of(service) as client:
        client.submit(
            video,
            options={"model": "m"},
            resumable_from=1000,
            on_sent=lambda done, _total: sent.append(done),
        )
    assert (service.kept, service.length) == (VIDEO, len(VIDEO))
    assert service.name == b"shaky clip.mp4"
    assert service.patches == 3
    assert b'name="upload"\r\n\r\nu1\r\n' in service.form
    assert b'name="model"\r\n\r\nm\r\n' in service.form
    assert sent[-1] == len(VIDEO)
    assert len(clock.naps) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(423, "upload_locked"), (409, "upload_offset_mismatch"), (503, "storage_unavailable")],
)
def test_an_upload_that_is_held_for_a_moment_goes_on(video: Path, status: int, code: str) -> None:
    service = Tus(breaks_after=len(VIDEO))
    service.busy = [problem(status, code, "wait")]
    with client_of(service) as client:
        client.submit(video, resumable_from=0)
    assert service.kept == VIDEO


def test_an_upload_that_gets_nowhere_is_given_up(video: Path, clock: Clock) -> None:
    with client_of(Tus(breaks_after=0)) as client, pytest.raises(ServiceUnreachable):
        client.submit(video, resumable_from=0)
    assert clock.now < 70


def test_an_upload_that_is_refused_for_good_says_why(video: Path, clock: Clock) -> None:
    service = Tus(breaks_after=0)
    service.busy = [problem(507, "storage_full", "no space")]
    with client_of(service) as client, pytest.raises(RequestRejected, match="no space"):
        client.submit(video, resumable_from=0)
    assert clock.naps == []


def test_a_service_without_resumable_uploads_gets_the_form(video: Path) -> None:
    service = Recorder(answering(problem(404, "not_found", "no"), httpx.Response(202, json=job_json())))
    with client_of(service) as client:
        client.submit(video, resumable_from=0)
    assert VIDEO in service.requests[-1].content


def test_a_file_that_shrinks_meanwhile_is_an_error_of_its_own(video: Path) -> None:
    service = Recorder(answering(httpx.Response(202, json=job_json())))
    with client_of(service) as client, pytest.raises(SourceChanged, match="shorter"):
        client.submit(video, on_sent=lambda _done, _total: os.truncate(video, 0))


def test_a_file_that_is_written_meanwhile_makes_no_job(video: Path) -> None:
    service = Tus(breaks_after=len(VIDEO))

    def grow(_done: int, _total: int) -> None:
        with video.open("ab") as file:
            file.write(b"another second")

    with client_of(service) as client, pytest.raises(SourceChanged, match="changed"):
        client.submit(video, resumable_from=0, on_sent=grow)
    assert service.form == b""
    assert service.given_up


def test_an_upload_that_is_refused_as_a_job_does_not_stay(video: Path) -> None:
    service = Tus(breaks_after=len(VIDEO))
    service.refusals = [problem(415, "not_a_video", "a text file")]
    with client_of(service) as client, pytest.raises(RequestRejected, match="a text file"):
        client.submit(video, resumable_from=0)
    assert service.kept == VIDEO
    assert service.given_up


def test_an_upload_that_another_process_began_goes_on_where_that_ended(video: Path, clock: Clock) -> None:
    service, begun = Tus(breaks_after=400_000), list[str]()
    with client_of(service, outage_s=0) as client, pytest.raises(ServiceUnreachable):
        client.submit(video, resumable_from=0, on_upload=begun.append)
    assert (begun, service.kept) == (["u1"], VIDEO[:400_000])
    service.breaks_after, sent = len(VIDEO), list[int]()
    with client_of(service) as client:
        client.submit(
            video, resumable_from=0, upload=begun[0], on_sent=lambda done, _total: sent.append(done)
        )
    assert (service.kept, service.patches) == (VIDEO, 2)
    assert sent[0] >= 400_000
    assert clock.naps == []


def test_an_upload_that_has_expired_begins_anew(video: Path) -> None:
    service, begun = Tus(breaks_after=len(VIDEO)), list[str]()
    service.gone = {"old"}
    service.refusals = [problem(404, "upload_not_found", "gone")]
    with client_of(service) as client:
        client.submit(video, resumable_from=0, upload="old", on_upload=begun.append)
    assert (service.kept, begun) == (VIDEO, ["u1"])


def test_an_upload_that_has_become_a_job_is_not_sent_again(video: Path) -> None:
    service = Tus(breaks_after=len(VIDEO))
    service.gone = {"old"}
    with client_of(service) as client:
        assert client.submit(video, resumable_from=0, upload="old", idempotency_key="mine").id == "j1"
    assert service.kept == b""
    assert b'name="upload"\r\n\r\nold\r\n' in service.form
