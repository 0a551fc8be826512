"""Delivers webhooks that are due, and repeats failed attempts over hours."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from service.errors.webhook import WebhookFailed, WebhookRefused
from service.outbound.retry_plan import RetryPlan
from service.redis_state.shares import Shares
from service.tenancy.api_keys import DEFAULT_TENANT
from service.webhooks.deliveries import Delivery, DeliveryState, DeliveryStore
from service.webhooks.post import WebhookClient
from service.webhooks.signature import signed_headers

log = logging.getLogger(__name__)

RESOLVE_S = 30.0
"""Seconds that the system's resolver takes at most. A delivery is leased for this and the attempt's own limit."""


class WebhookSender:
    """Delivers the webhooks of all jobs. Safe to run in several threads and workers."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        shares: Shares,
        client: WebhookClient,
        plan: RetryPlan,
        secret: str | None = None,
    ) -> None:
        """``shares`` are those of all that deliver in this worker.

        ``secret`` signs for the default tenant; without it, a secret kept in Redis does.

        Every other tenant has a secret of its own in Redis: with a common one, tenants could sign in each other's name.
        """
        self._deliveries = deliveries
        self._shares = shares
        self._client = client
        self._plan = plan
        self._secret = secret

    def step(self) -> bool:
        """Makes one attempt if one is due; returns whether one was. After BrokerUnavailable it is due again later."""
        timeout_s = self._client.timeout_s
        with self._shares.taken(min(3 * timeout_s, timeout_s + RESOLVE_S)) as ticket:
            if ticket is not None:
                found = self._deliveries.read(ticket)
                self._deliveries.settle(ticket, self._attempt(*found) if found else None)
        return ticket is not None

    def _attempt(self, delivery: Delivery, url: str) -> Delivery:
        now = time.time()
        body = message(delivery)
        secret = self._secret_for(delivery)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "cdvd-webhooks",
            **signed_headers(secret, delivery.message_id, int(now), body),
        }
        tried = replace(delivery, attempts=delivery.attempts + 1, last_attempt_at=now, next_attempt_at=None)
        try:
            status = self._client.post(url, body, headers)
        except WebhookRefused as error:
            return self._given_up(replace(tried, last_answer=str(error)))
        except WebhookFailed as error:
            return self._later(replace(tried, last_answer=str(error)))
        return self._answered(replace(tried, last_answer=str(status)), status)

    def _secret_for(self, delivery: Delivery) -> str:
        tenant = self._deliveries.tenant_of(delivery)
        if self._secret and tenant == DEFAULT_TENANT:
            return self._secret
        return self._deliveries.secret(tenant)

    def _answered(self, tried: Delivery, status: int) -> Delivery:
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return replace(tried, state=DeliveryState.DELIVERED)
        return self._given_up(tried) if status == HTTPStatus.GONE else self._later(tried)

    def _later(self, tried: Delivery) -> Delivery:
        delay = self._plan.delay(tried.attempts)
        if delay is None:
            return self._given_up(tried)
        return replace(tried, next_attempt_at=time.time() + delay)

    def _given_up(self, tried: Delivery) -> Delivery:
        log.warning(
            "A webhook was given up; the last answer: %s", tried.last_answer, extra={"job": tried.job_id}
        )
        return replace(tried, state=DeliveryState.DEAD)


def message(delivery: Delivery) -> bytes:
    """Returns the body, the same in every attempt: the job's new state, and the event in its stream that says so."""
    moment = datetime.fromtimestamp(delivery.time, UTC).isoformat().replace("+00:00", "Z")
    data = {
        "id": delivery.job_id,
        "status": delivery.status,
        "event_id": delivery.event_id,
        "output": delivery.output,
        "error": delivery.error,
    }
    return json.dumps({"type": f"job.{delivery.status}", "timestamp": moment, "data": data}).encode()
