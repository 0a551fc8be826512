"""Announces the steps of jobs to workers through Celery, by task name. Messages carry ids, never frames.

A message says that there is a step to do. The worker that gets it begins the step whose turn it is
(``service.jobs.turns``), which need not be the one that the message names.
"""

from __future__ import annotations

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from service.errors.broker import BrokerUnavailable
from service.jobs.step_names import FINISH, PLAN, segment_index
from service.jobs.turns import Turns
from service.redis_state.celery_address import broker_url, tls_options, transport_options
from service.redis_state.connection import broker_errors, reason
from service.redis_state.key_names import SEGMENT_QUEUE, SHORT_QUEUE

PLAN_TASK = "cdvd.plan"
SEGMENT_TASK = "cdvd.restore_segment"
FINISH_TASK = "cdvd.finish"

QUEUES = (SHORT_QUEUE, SEGMENT_QUEUE)

VISIBILITY_TIMEOUT_S = 3600
"""Seconds after which Celery delivers an unacknowledged message again: longer than two stalled segments. This is only
a backstop, because lost steps are found by their claims much sooner."""


def create_celery(redis_url: str) -> Celery:
    """Returns the Celery application that gateway and workers share: how messages travel, without any task."""
    app = Celery("cdvd", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,  # jobs are kept in our own store
        task_default_queue=SHORT_QUEUE,
        task_routes={SEGMENT_TASK: {"queue": SEGMENT_QUEUE}},
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        broker_pool_acquire_timeout=10,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_S,
            "unacked_restore_throttle": 1,
            "health_check_interval": 25,
            "socket_timeout": 30,
            **transport_options(redis_url),
        },
        broker_use_ssl=tls_options(redis_url),
    )
    return app


class JobQueue:
    """Announces steps to workers. Methods raise BrokerUnavailable."""

    def __init__(self, app: Celery, client: redis.Redis, turns: Turns | None = None) -> None:
        """``turns``: knows the weights of tenants, which who only lists steps need not."""
        self._app = app
        self._redis = client
        self.turns = turns or Turns(client)

    def enqueue(self, job_id: str, step: str) -> None:
        """Lists one step among those to do, and wakes whichever worker is free first."""
        self.turns.offer(job_id, step)
        name, arguments = _message(job_id, step)
        try:
            self._app.send_task(name, args=arguments, retry=False)
        except (OperationalError, redis.RedisError) as error:
            raise BrokerUnavailable(f"The job cannot be queued: {reason(error)}") from error

    def is_empty(self) -> bool:
        """Returns whether no message waits."""
        return not any(self.depth().values())

    def depth(self) -> dict[str, int]:
        """Returns how many messages no worker has taken yet, by queue."""
        with broker_errors():
            return {name: int(self._redis.llen(name)) for name in QUEUES}

    def close(self) -> None:
        """Closes the connections to Redis."""
        self._app.close()


def _message(job_id: str, step: str) -> tuple[str, tuple[str | int, ...]]:
    if step == PLAN:
        return PLAN_TASK, (job_id,)
    if step == FINISH:
        return FINISH_TASK, (job_id,)
    return SEGMENT_TASK, (job_id, segment_index(step))
