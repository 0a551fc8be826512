"""Names that nobody knows are refused, wherever they stand, with the nearest that somebody does."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("names")) as running:
        yield running


def refused(answer: httpx.Response) -> str:
    """The sentence with which a name was refused."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "unknown_parameter"), answer.text
    return str(problem["detail"])


def test_every_route_refuses_a_query_parameter_that_it_does_not_have(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    routes = [(method, path) for path, methods in document["paths"].items() for method in methods]
    assert len(routes) > 25
    for method, path in routes:
        address = re.sub(r"\{\w+\}", "0" * 32, path)
        answer = service.http.request(method, address, params={"no_such": "1"})
        assert answer.status_code == 422, (method, path, answer.text)
        assert method == "head" or "'no_such'" in refused(answer)
    assert service.http.head(f"/jobs/{'0' * 32}/result", params={"no_such": "1"}).status_code == 422


def test_the_page_is_there_under_any_query(service: Service) -> None:
    assert service.http.get("/", params={"from": "mail"}).status_code == 200


def test_the_nearest_name_is_told(service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=2))
    described = {"width": 640, "height": 360, "frames": 8}

    assert "did you mean 'status'?" in refused(service.http.get("/jobs", params={"stauts": "failed"}))
    assert "did you mean 'codec'?" in refused(service.post(clip, codecs="hevc"))
    assert "did you mean 'quality'?" in refused(
        service.http.post("/jobs", params={"qualty": "fast"}, files={"video": clip.read_bytes()})
    )
    assert "did you mean 'looks'?" in refused(service.http.post("/estimates", json={**described, "look": 2}))
    assert "did you mean 'crf'?" in refused(
        service.http.post("/upload-tokens", json={"options": {"cfr": 20}})
    )


def test_options_may_stand_in_the_query(service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=2))
    with clip.open("rb") as file:
        answer = service.http.post(
            "/jobs", params={"model": QUICK, "crf": "20"}, data={"codec": "hevc"}, files={"video": file}
        )

    assert answer.status_code == 202, answer.text
    assert (answer.json()["options"]["crf"], answer.json()["options"]["codec"]) == (20, "hevc")
    twice = service.http.post("/jobs", params={"crf": "20"}, data={"crf": "21"}, files={"video": b"x"})
    assert (twice.status_code, twice.json()["code"]) == (422, "invalid_option")
    assert "twice" in twice.json()["detail"]


@pytest.mark.parametrize("query", ["crf=64", "cfr=20", "quality=worst", "codec=vp9&container=mov"])
def test_a_query_is_refused_before_the_body_is_asked_for(service: Service, query: str) -> None:
    """A client that waits for consent is never told to send its video."""
    address = (service.http.base_url.host, service.http.base_url.port or 80)
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(
            f"POST /jobs?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 422 ")
