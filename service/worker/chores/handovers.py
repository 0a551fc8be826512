"""Sends the results of jobs to their ``output_url``, and repeats failed attempts over hours."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import Event

from service.errors.job import JobCanceled, JobNotFound
from service.errors.outbound import AddressRefused, SendFailed
from service.jobs.job import Handover, HandoverState, Job
from service.jobs.store import RedisJobStore
from service.logs import log_context
from service.outbound.retry_plan import RetryPlan
from service.outbound.upload import Sender
from service.redis_state.due import DueList, Ticket
from service.redis_state.shares import Shares
from service.storage.store import Storage, result_name
from service.transfers.bookkeeping import Transfers
from service.transfers.lease import Lease
from service.transfers.media_types import media_type

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HandoverParts:
    """What is read and changed when a result is sent."""

    jobs: RedisJobStore
    storage: Storage
    transfers: Transfers
    due: DueList


class Handovers:
    """Sends one result at a time; several may work side by side, in several workers."""

    def __init__(
        self,
        parts: HandoverParts,
        shares: Shares,
        sender: Sender,
        plan: RetryPlan,
        ttl_s: float,
        stopping: Event,
    ) -> None:
        """``shares`` are those of all that send in this worker.

        ``ttl_s``: seconds of silence after which a lease lapses. ``stopping`` is set when the worker stops.
        """
        self._parts = parts
        self._shares = shares
        self._sender = sender
        self._plan = plan
        self._ttl_s = ttl_s
        self._stopping = stopping

    def step(self) -> bool:
        """Makes one attempt if one is due; returns whether one was.

        Raises BrokerUnavailable and StorageUnavailable; the result is then due again later.
        """
        if self._stopping.is_set():
            return False
        with self._shares.taken(self._ttl_s) as ticket:
            if ticket is not None:
                self._take(ticket)
        return ticket is not None

    def _take(self, ticket: Ticket) -> None:
        lease = Lease(self._parts.due, ticket, self._ttl_s, self._stopping, lambda: None)
        with lease, log_context(job=ticket.member):
            again_at = self._again_at(ticket.member, lease)
        if again_at is None:
            self._parts.due.remove(lease.ticket)
        else:
            self._parts.due.reschedule(lease.ticket, again_at)

    def _again_at(self, job_id: str, lease: Lease) -> float | None:
        """Makes an attempt; returns when the next is due, None if it was the last."""
        try:
            job = self._parts.jobs.get(job_id)
            found = self._attempt(job, lease)
        except JobNotFound:
            return None
        except JobCanceled:
            return time.time()
        self._parts.transfers.hand_over(job_id, found)
        return found.next_attempt_at

    def _attempt(self, job: Job, lease: Lease) -> Handover:
        before, url = job.handover, job.spec.output_url
        if before is None or url is None:
            raise JobNotFound("The job has no result to be sent.")
        tried = replace(
            before, attempts=before.attempts + 1, last_attempt_at=time.time(), next_attempt_at=None
        )
        container = job.spec.options.container
        try:
            with ExitStack() as stack:
                video = stack.enter_context(self._parts.storage.reading(job.id, result_name(container)))
                status = self._sender.put(url, video, media_type(container), lease.check)
        except FileNotFoundError:
            return _given_up(replace(tried, last_answer="The result was removed."))
        except AddressRefused as error:
            return _given_up(replace(tried, last_answer=str(error)))
        except SendFailed as error:
            return self._later(replace(tried, last_answer=str(error)))
        answered = replace(tried, last_answer=str(status))
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return replace(answered, state=HandoverState.DELIVERED)
        return _given_up(answered) if status == HTTPStatus.GONE else self._later(answered)

    def _later(self, tried: Handover) -> Handover:
        delay = self._plan.delay(tried.attempts)
        return _given_up(tried) if delay is None else replace(tried, next_attempt_at=time.time() + delay)


def _given_up(tried: Handover) -> Handover:
    log.warning("Sending a result was given up; the last answer: %s", tried.last_answer)
    return replace(tried, state=HandoverState.DEAD)
