"""Downloads: whole or not at all, going on where they broke."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.client import DownloadDamaged, RequestRejected, ServiceUnreachable
from tests.unit.client.services import VIDEO, Clock, client_of, job_json, output_json, problem


class Shelf:
    """A service with one result; an answer breaks after ``breaks_after`` bytes of it."""

    def __init__(self, data: bytes, announced: bytes | None = None, breaks_after: int | None = None) -> None:
        self.data, self.announced = data, data if announced is None else announced
        self.breaks_after = breaks_after
        self.tag = '"first"'
        self.asked: list[str | None] = []
        self.statuses: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jobs/j1":
            return httpx.Response(200, json=job_json("succeeded", output=output_json(self.announced)))
        assert request.url.path == "/jobs/j1/result"
        self.asked.append(request.headers.get("Range"))
        start = self._start(request)
        rest = self.data[start:]
        headers = {"ETag": self.tag, "Content-Length": str(len(rest))}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        self.statuses.append(206 if start else 200)
        return httpx.Response(self.statuses[-1], headers=headers, content=self._body(rest))

    def _start(self, request: httpx.Request) -> int:
        if request.headers.get("If-Range", self.tag) != self.tag:
            return 0
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def _body(self, rest: bytes) -> Iterator[bytes]:
        if self.breaks_after is None or len(rest) <= self.breaks_after:
            yield rest
            return
        yield rest[: self.breaks_after]
        raise httpx.ReadError("connection lost")


def test_download_replaces_the_output_with_the_whole_result(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"old")
    received: list[tuple[int, int]] = []
    with client_of(Shelf(VIDEO)) as client:
        client.download("j1", output, on_received=lambda done, total: received.append((done, total)))
    assert output.read_bytes() == VIDEO
    assert received[-1] == (len(VIDEO), len(VIDEO))
    assert list(tmp_path.iterdir()) == [output]


def test_a_download_goes_on_where_the_connection_broke(tmp_path: Path, clock: Clock) -> None:
    output, shelf = tmp_path / "out.mp4", Shelf(VIDEO, breaks_after=400_000)
    with client_of(shelf) as client:
        client.download("j1", output)
    assert output.read_bytes() == VIDEO
    assert shelf.asked == [None, "bytes=400000-", "bytes=800000-"]
    assert shelf.statuses == [200, 206, 206]
    assert len(clock.naps) == 2


def test_a_later_download_goes_on_with_what_an_earlier_one_left(tmp_path: Path) -> None:
    output, shelf = tmp_path / "out.mp4", Shelf(VIDEO, breaks_after=400_000)
    with client_of(shelf, outage_s=0) as client, pytest.raises(ServiceUnreachable):
        client.download("j1", output)
    assert not output.exists()
    shelf.breaks_after = None
    with client_of(shelf, outage_s=0) as client:
        client.download("j1", output)
    assert output.read_bytes() == VIDEO
    assert shelf.asked == [None, "bytes=400000-"]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.usefixtures("clock")
def test_a_result_that_is_another_meanwhile_is_fetched_from_its_beginning(tmp_path: Path) -> None:
    output, shelf = tmp_path / "out.mp4", Shelf(VIDEO, breaks_after=400_000)

    def changing(request: httpx.Request) -> httpx.Response:
        if shelf.asked:
            shelf.tag, shelf.breaks_after = '"second"', None
        return shelf(request)

    with client_of(changing) as client:
        client.download("j1", output)
    assert shelf.statuses == [200, 200]
    assert output.read_bytes() == VIDEO


def test_a_server_that_knows_no_ranges_is_asked_from_the_beginning(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with client_of(Shelf(VIDEO, breaks_after=10), outage_s=0) as client, pytest.raises(ServiceUnreachable):
        client.download("j1", output)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jobs/j1":
            return httpx.Response(200, json=job_json("succeeded", output=output_json(VIDEO)))
        return httpx.Response(200, content=VIDEO)

    with client_of(handler) as client:
        client.download("j1", output)
    assert output.read_bytes() == VIDEO


@pytest.mark.parametrize("damaged", [VIDEO[:-1], VIDEO[:-1] + b"x"])
def test_a_damaged_download_leaves_the_old_output_alone_and_no_part(tmp_path: Path, damaged: bytes) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"old")
    with client_of(Shelf(damaged, announced=VIDEO)) as client, pytest.raises(DownloadDamaged):
        client.download("j1", output)
    assert output.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [output]


def test_an_interrupted_download_leaves_nothing_unless_it_is_to_go_on(tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with client_of(Shelf(VIDEO)) as client:
        with pytest.raises(KeyboardInterrupt):
            client.download("j1", tmp_path / "out.mp4", on_received=interrupt, keep_part=False)
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(KeyboardInterrupt):
            client.download("j1", tmp_path / "out.mp4", on_received=interrupt)
    (part,) = tmp_path.iterdir()
    assert part.name.startswith(".out.mp4.")


def test_downloading_too_early_gives_the_reason(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/result"):
            return problem(409, "job_not_finished", "the job is still running")
        return httpx.Response(200, json=job_json("running"))

    with client_of(handler) as client, pytest.raises(RequestRejected, match="still running"):
        client.download("j1", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_ranges_that_always_breaks_is_given_up(tmp_path: Path, clock: Clock) -> None:
    shelf = Shelf(VIDEO, breaks_after=400_000)

    def handler(request: httpx.Request) -> httpx.Response:
        request.headers.pop("Range", None)
        return shelf(request)

    with client_of(handler) as client, pytest.raises(ServiceUnreachable):
        client.download("j1", tmp_path / "out.mp4")
    assert clock.now < 70
