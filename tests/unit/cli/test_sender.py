"""One job of a video, also over several runs of a command."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service.cli.batch.journal import Journal
from service.cli.batch.sender import Sender
from service.cli.batch.sources import Address, SentBefore, Source, VideoFile
from service.client import Client
from tests.unit.client.services import job_json

FIELDS = {"crf": "20"}


class Desk:
    """Takes jobs. The command is interrupted before the first answer arrives."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        self.bodies.append(request.read())
        if len(self.keys) == 1:
            raise KeyboardInterrupt
        return httpx.Response(202, json=job_json())


@pytest.mark.parametrize("kind", ["file", "address", "job"])
def test_an_interrupted_submission_is_repeated_under_the_same_key(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.mp4").write_text("video")
    sources: dict[str, Source] = {
        "file": VideoFile(tmp_path / "a.mp4"),
        "address": Address("https://media.example.org/a.mp4"),
        "job": SentBefore("0" * 32),
    }
    source, desk = sources[kind], Desk()
    journal = Journal("http://service.test", tmp_path / "state")
    with Client("http://service.test", transport=httpx.MockTransport(desk)) as client:
        sender = Sender(client, journal, lambda _done, _total: None)
        with pytest.raises(KeyboardInterrupt):
            sender.send(source, source.identity, FIELDS)
        sender.send(source, source.identity, FIELDS)
        sender.forget(source.identity, FIELDS)
        sender.send(source, source.identity, FIELDS)
    first, second, third = desk.keys

    assert first == second != third


def test_a_video_that_the_service_has_is_named_with_its_options(tmp_path: Path) -> None:
    desk, journal = Desk(), Journal("http://service.test", tmp_path / "state")
    with Client("http://service.test", transport=httpx.MockTransport(desk)) as client:
        sender = Sender(client, journal, lambda _done, _total: None)
        with pytest.raises(KeyboardInterrupt):
            sender.send(SentBefore("0" * 32), "identity", FIELDS)

    assert b'name="source"\r\n\r\n' + b"0" * 32 in desk.bodies[0]
    assert b'name="crf"\r\n\r\n20' in desk.bodies[0]
