"""Several videos at a time, against a small service without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from service.cli.batch.journal import Journal
from service.cli.batch.plan import Item
from service.cli.batch.restorer import RestoreOptions, Restorer
from service.cli.batch.sources import VideoFile
from service.cli.output.progress import JobBar
from service.client import Client
from tests.unit.client.services import job_json, output_json, problem


class Desk:
    """Takes so many jobs at a time; each is done as soon as somebody asks for it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.open: list[str] = []
        self.most = 0
        self.canceled: list[str] = []
        self.refused = 0
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused")
        path = request.url.path.split("/")
        if path[-1] == "events":
            return problem(405, "method_not_allowed", "no streams here")
        if request.method == "POST":
            return self._cancel(path[2]) if path[-1] == "cancel" else self._take(request.read())
        return httpx.Response(200, content=path[2].encode()) if path[-1] == "result" else self._done(path[2])

    def _take(self, body: bytes) -> httpx.Response:
        if len(self.open) >= self.limit:
            self.refused += 1
            return problem(429, "too_many_jobs", "one after the other", **{"Retry-After": "1"})
        if b"no video" in body:
            return problem(415, "not_a_video", "no video")
        self.open.append(hashlib.sha256(body).hexdigest()[:8])
        self.most = max(self.most, len(self.open))
        return httpx.Response(202, json={**job_json(), "id": self.open[-1]})

    def _cancel(self, job_id: str) -> httpx.Response:
        self.canceled.append(job_id)
        return httpx.Response(202, json={**job_json("canceled"), "id": job_id})

    def _done(self, job_id: str) -> httpx.Response:
        if job_id in self.open:
            self.open.remove(job_id)
        return httpx.Response(
            200, json={**job_json("succeeded", output=output_json(job_id.encode())), "id": job_id}
        )


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    names = ("a", "b", "bad", "c")
    for name in names:
        (tmp_path / f"{name}.mp4").write_text("no video" if name == "bad" else name)
    return [Item(VideoFile(tmp_path / f"{name}.mp4"), tmp_path / f"{name}_out.mp4") for name in names]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier runs began is remembered for this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def restorer(desk: Desk, parallel: int) -> Restorer:
    client = Client("http://service.test", transport=httpx.MockTransport(desk), outage_s=0)
    options = RestoreOptions(parallel, remote=True)
    return Restorer(client, JobBar(lambda _state: None), options, Journal("http://service.test"))


@pytest.mark.parametrize("parallel", [1, 2, 9])
def test_so_many_jobs_are_at_the_service_and_all_are_tried(items: list[Item], parallel: int) -> None:
    desk = Desk(limit=99)
    outcomes = list(restorer(desk, parallel).restore(items))
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed", "done"]
    assert [outcome.item for outcome in outcomes] == items
    assert desk.most == min(parallel, 3)
    assert desk.canceled == []


def test_a_service_that_takes_fewer_gets_fewer(items: list[Item]) -> None:
    desk = Desk(limit=1)
    outcomes = list(restorer(desk, 9).restore(items))
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed", "done"]
    assert (desk.most, desk.refused) == (1, 1)


def test_a_service_that_takes_none_fails_them_all(items: list[Item]) -> None:
    outcomes = list(restorer(Desk(limit=0), 2).restore(items))
    assert {outcome.status for outcome in outcomes} == {"failed"}


def test_all_jobs_are_canceled_when_it_is_left_in_the_middle(items: list[Item]) -> None:
    desk = Desk(limit=99)
    arriving = restorer(desk, 3).restore(items)
    next(arriving)
    left = list(desk.open)
    arriving.close()
    assert desk.canceled == left
    assert len(left) == 1


def test_when_the_service_is_gone_the_others_are_not_tried(items: list[Item]) -> None:
    desk = Desk(limit=99)
    outcomes = []
    for outcome in restorer(desk, 1).restore(items):
        outcomes.append(outcome)
        desk.down = True
    assert [outcome.status for outcome in outcomes] == ["done", "failed", "failed", "failed"]
    assert len({id(outcome.error) for outcome in outcomes[1:]}) == 1
