from __future__ import annotations

import socket

from service.api.load_gauges import load_registry
from service.jobs.queue import JobQueue, create_celery
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.metrics import render
from service.redis_state.connection import connect


def test_without_redis_the_answer_is_that_it_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    client = connect(url)
    queue = JobQueue(create_celery(url), client)

    text = render(load_registry(queue, RedisJobStore(client), WorkerRegistry(client))).decode()

    assert "cdvd_broker_up 0.0" in text
    assert "cdvd_jobs" not in text
