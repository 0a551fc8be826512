"""Keeps the webhook deliveries of jobs. Each announces one entry of its job's event stream and has that entry's id.

``scripts.jobs.TRANSITION`` creates a delivery in the transaction that adds the event, so that polling, the stream and
webhooks agree.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import redis

from service.errors.webhook import DeliveryNotFound
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts
from service.redis_state.due import DueList, Ticket
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import webhooks
from service.tenancy.api_keys import DEFAULT_TENANT
from service.webhooks.signature import new_secret

DEAD_KEPT = 1000
"""How many dead deliveries are listed at most, the latest ones."""


class DeliveryState(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up, after too many attempts or because the receiver answered 410. It can be sent again on request."""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to a receiver. Times are unix seconds."""

    job_id: str
    event_id: str
    status: str
    """The state that the job reached."""
    time: float
    output: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_attempt_at: float | None = None
    last_answer: str | None = None
    """The HTTP status, or a sentence on what went wrong."""
    next_attempt_at: float | None = None

    @property
    def message_id(self) -> str:
        """Identifies the message; the same in every attempt, so that receivers recognize repetitions."""
        return f"msg_{self.job_id}_{self.event_id}"


class DeliveryStore:
    """Deliveries in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._due = DueList(client, key_names.WEBHOOKS_DUE, address="webhook_url")
        self._update = client.register_script(webhooks.UPDATE)

    @property
    def due(self) -> DueList:
        """Returns what is to be delivered, by the time at which it is due."""
        return self._due

    def read(self, ticket: Ticket) -> tuple[Delivery, str] | None:
        """Returns a leased delivery and its URL; None if its job was deleted."""
        job_id, _, event_id = ticket.member.partition(" ")
        names = JobKeys(job_id)
        with broker_errors():
            text = self._redis.hget(names.webhooks, event_id)
            url = self._redis.hget(names.record, "webhook_url")
        return (_read(job_id, event_id, str(text)), str(url)) if text and url else None

    def settle(self, ticket: Ticket, delivery: Delivery | None) -> None:
        """Records the outcome of an attempt; the delivery is due again at ``next_attempt_at``, or over without one."""
        if delivery is not None:
            self._save(delivery)
        if delivery is not None and delivery.next_attempt_at is not None:
            self._due.reschedule(ticket, delivery.next_attempt_at)
        else:
            self._due.remove(ticket)
        if delivery is not None and delivery.state is DeliveryState.DEAD:
            self._bury(ticket.member)

    def of_job(self, job_id: str) -> tuple[Delivery, ...]:
        """Returns all deliveries of a job, oldest first."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).webhooks)
        deliveries = [_read(job_id, str(event_id), str(text)) for event_id, text in found.items()]
        return tuple(sorted(deliveries, key=lambda delivery: delivery.time))

    def count_dead(self) -> int:
        """Returns how many deliveries were given up."""
        with broker_errors():
            return int(self._redis.zcard(key_names.WEBHOOKS_DEAD))

    def dead(self, tenant: str | None = None) -> tuple[Delivery, ...]:
        """Returns the deliveries that were given up, of one tenant's jobs or of all, the latest first."""
        with broker_errors():
            members = texts(self._redis.zrevrange(key_names.WEBHOOKS_DEAD, 0, -1))
            pairs = [(member.partition(" ")[0], member.partition(" ")[2]) for member in members]
            with self._redis.pipeline(transaction=False) as pipe:
                for job_id, event_id in pairs:
                    pipe.hget(JobKeys(job_id).webhooks, event_id)
                    pipe.hget(JobKeys(job_id).record, "tenant")
                answers = iter(pipe.execute())
        return tuple(
            _read(job_id, event_id, str(text))
            for (job_id, event_id), text, owner in zip(pairs, answers, answers, strict=True)
            if text and tenant in (None, owner or DEFAULT_TENANT)
        )

    def send_again(self, job_id: str, event_id: str) -> Delivery:
        """Starts a delivery over, whatever its state. Raises DeliveryNotFound."""
        with broker_errors():
            text = self._redis.hget(JobKeys(job_id).webhooks, event_id)
        if not text:
            raise DeliveryNotFound(f"The job has no delivery {event_id[:64]!r}.")
        old = _read(job_id, event_id, str(text))
        delivery = replace(old, state=DeliveryState.PENDING, attempts=0, next_attempt_at=time.time())
        self._save(delivery)
        with broker_errors():
            self._redis.zrem(key_names.WEBHOOKS_DEAD, f"{job_id} {event_id}")
        self._due.add(f"{job_id} {event_id}", time.time())
        return delivery

    def tenant_of(self, delivery: Delivery) -> str:
        """Returns the tenant whose job the delivery is about."""
        with broker_errors():
            return str(self._redis.hget(JobKeys(delivery.job_id).record, "tenant") or DEFAULT_TENANT)

    def secret(self, tenant: str) -> str:
        """Returns the secret that signs a tenant's webhooks; creates it at the first call."""
        name = key_names.webhook_secret(tenant)
        with broker_errors():
            self._redis.set(name, new_secret(), nx=True)
            return str(self._redis.get(name))

    def _save(self, delivery: Delivery) -> None:
        fields = {
            name: value for name, value in asdict(delivery).items() if name not in ("job_id", "event_id")
        }
        with broker_errors():
            self._update(
                keys=[JobKeys(delivery.job_id).webhooks], args=[delivery.event_id, json.dumps(fields)]
            )

    def _bury(self, member: str) -> None:
        with broker_errors():
            self._redis.zadd(key_names.WEBHOOKS_DEAD, {member: time.time()})
            self._redis.zremrangebyrank(key_names.WEBHOOKS_DEAD, 0, -DEAD_KEPT - 1)


def _read(job_id: str, event_id: str, text: str) -> Delivery:
    fields = json.loads(text)
    fields["state"] = DeliveryState(fields.get("state", DeliveryState.PENDING))
    return Delivery(job_id, event_id, **fields)
