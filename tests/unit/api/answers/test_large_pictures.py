"""Large bodies are hashed beside the event loop, which serves everybody else meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request, Response

from service.api.answers.etag import tagged
from service.api.routes import previews
from service.jobs.job import JobStatus

PNG = bytes(1 << 20)
JOB = SimpleNamespace(
    status=JobStatus.SUCCEEDED, spec=SimpleNamespace(order=None, video=SimpleNamespace(frames=1))
)


class Pictures:
    async def still(self, *_: object) -> bytes:
        return PNG


def test_a_still_is_hashed_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noting(*arguments: Any) -> Response:
        threads.append(threading.current_thread())
        return tagged(*arguments)

    monkeypatch.setattr(previews, "tagged", noting)
    jobs: Any = SimpleNamespace(get=lambda _: JOB)
    pictures: Any = Pictures()
    request = Request({"type": "http", "headers": []})
    answer = asyncio.run(previews.get_still("1", 0, jobs, pictures, request))

    assert answer.body == PNG
    assert answer.headers["etag"] == f'"{hashlib.sha256(PNG).hexdigest()[:32]}"'
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
