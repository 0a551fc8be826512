"""Creates, changes and deletes jobs in Redis, each in one transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import redis

from service.errors.job import JobNotFound, JobStateConflict
from service.jobs import step_names
from service.jobs.job import Failure, Job, JobSpec, JobStatus, Output, sources_of
from service.jobs.reader import JobReader
from service.jobs.record import SPEC
from service.jobs.turns import work_of
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import Account, JobKeys
from service.redis_state.scripts import jobs as job_scripts
from service.tenancy.api_keys import DEFAULT_TENANT, ApiKey
from service.tenancy.quotas import Reservation


class RedisJobStore(JobReader):
    """Reads and changes jobs. Every method raises BrokerUnavailable when Redis cannot be reached."""

    def __init__(self, client: redis.Redis, retention_s: float = 0) -> None:
        """``retention_s``: for how many seconds files stay after a job has ended; 0 keeps them forever."""
        super().__init__(client)
        self._retention_s = retention_s
        self._enroll = client.register_script(job_scripts.ENROLL)
        self._delete = client.register_script(job_scripts.DELETE)
        self._set_partial = client.register_script(job_scripts.SET_PARTIAL)
        self._transition = client.register_script(job_scripts.TRANSITION)
        self._retry = client.register_script(job_scripts.RETRY)

    def create(
        self,
        job_id: str,
        spec: JobSpec,
        reservation: Reservation | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Job:
        """Records a new queued job, whose first step, the plan, the caller is to enqueue; one with an order is fetched.

        What was reserved for the job becomes its own in the same transaction.
        """
        now = time.time()
        names = JobKeys(job_id)
        key = None if reservation is None else reservation.key
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(names.record, mapping=_new_record(spec, tenant, key, now))
            if spec.order is None:
                pipe.hset(names.steps, step_names.PLAN, f"queued {now}")
            else:
                pipe.zadd(key_names.FETCHES_DUE, {job_id: now})
            for index in _indexes(tenant, JobStatus.QUEUED):
                pipe.zadd(index, {job_id: 0})
            pipe.xadd(names.events, {"type": "status", "status": JobStatus.QUEUED.value, "time": now})
            self._enroll(keys=[names.record], args=[job_id], client=pipe)
            if reservation is not None:
                pipe.hdel(key_names.QUEUE.held, reservation.token)
            if reservation is not None and key is not None:
                pipe.hdel(Account(key.prefix).held, reservation.token)
            pipe.execute()
        return self.get(job_id)

    def begin(self, job_id: str) -> None:
        """Makes a queued job running; a job in any other state stays as it is."""
        self._change(job_id, JobStatus.RUNNING, {"started_at": time.time()})

    def succeed(self, job_id: str, output: Output) -> bool:
        """Makes a running job succeeded. Returns False if it was canceled or deleted in the meantime."""
        fields = {**self._ended(), "output": json.dumps(asdict(output))}
        if self._change(job_id, JobStatus.SUCCEEDED, fields) != "changed":
            return False
        with broker_errors():
            self._redis.delete(JobKeys(job_id).steps)
        return True

    def fail(self, job_id: str, failure: Failure) -> bool:
        """Makes an active job failed. Returns False if it was no longer active."""
        fields = {**self._ended(), "error": json.dumps(asdict(failure))}
        return self._change(job_id, JobStatus.FAILED, fields) == "changed"

    def cancel(self, job_id: str) -> Job:
        """Cancels an active job; its workers stop at the next window.

        Raises JobNotFound, and JobStateConflict for a job that has ended (unless it is canceled already).
        """
        self._require(job_id)
        answer = self._change(job_id, JobStatus.CANCELED, self._ended())
        if answer not in ("changed", JobStatus.CANCELED, "missing"):
            raise JobStateConflict(f"The job has {answer}; only queued and running jobs can be canceled.")
        return self.get(job_id)

    def retry(self, job_id: str) -> tuple[str, ...]:
        """Queues a failed or canceled job again; finished segments stay finished.

        Returns the steps to enqueue. Raises JobNotFound and JobStateConflict.
        """
        self._require(job_id)
        answer = self._change(job_id, JobStatus.QUEUED, {})
        if answer == "missing":
            raise JobNotFound(f"There is no job {job_id[:64]!r}.")
        if answer != "changed":
            raise JobStateConflict(f"The job is {answer}; only failed and canceled jobs can be retried.")
        names = JobKeys(job_id)
        with broker_errors():
            self._redis.delete(names.deliveries, names.postponed)
            return tuple(self._retry(keys=[names.record, names.steps], args=[time.time()]))

    def keep_partial(self, job_id: str, output: Output) -> bool:
        """Records the file that a canceled job leaves. Returns False if the job is no longer canceled."""
        with broker_errors():
            text = json.dumps(asdict(output))
            return bool(self._set_partial(keys=[JobKeys(job_id).record], args=[text, job_id]))

    def expire(self, job_id: str) -> bool:
        """Makes an ended job expired. Returns False if it is active again or deleted."""
        return self._change(job_id, JobStatus.EXPIRED, {}) in ("changed", JobStatus.EXPIRED)

    def delete(self, job_id: str) -> None:
        """Deletes the record of a job in any state; workers notice at the next window. Raises JobNotFound."""
        tenant = self.get(job_id).tenant
        due = (key_names.PARTIALS_DUE, key_names.EXPIRY_DUE, key_names.FORGET_DUE)
        transfers = (key_names.FETCHES_DUE, key_names.OUTPUTS_DUE, key_names.SIDE_BY_SIDE_DUE)
        lists = (*due, *transfers, key_names.ready_jobs(tenant), *_indexes(tenant, *JobStatus))
        with broker_errors():
            self._delete(keys=JobKeys(job_id).all(), args=[job_id, *lists])

    def _require(self, job_id: str) -> None:
        """Raises JobNotFound for a job of another tenant."""
        if self._tenant is not None:
            self.get(job_id)

    def _ended(self) -> dict[str, str | float]:
        now = time.time()
        expiry: dict[str, str | float] = {"expires_at": now + self._retention_s} if self._retention_s else {}
        return {"finished_at": now, **expiry}

    def _change(self, job_id: str, target: JobStatus, fields: Mapping[str, str | float]) -> str:
        names = JobKeys(job_id)
        allowed = "|" + "|".join(sources_of(target)) + "|"
        pairs = [part for pair in fields.items() for part in pair]
        with broker_errors():
            return str(
                self._transition(
                    keys=[
                        names.record,
                        names.events,
                        names.webhooks,
                        key_names.WEBHOOKS_DUE,
                        key_names.PARTIALS_DUE,
                        key_names.EXPIRY_DUE,
                    ],
                    args=[job_id, allowed, target.value, time.time(), *pairs],
                )
            )


def _new_record(spec: JobSpec, tenant: str, key: ApiKey | None, now: float) -> dict[Any, str | float]:
    record: dict[Any, str | float] = {
        "status": JobStatus.QUEUED.value,
        "created_at": now,
        "tenant": tenant,
        **fields_of(spec),
    }
    if spec.order is not None:
        record["fetched"] = "0 "
    if spec.output_url is not None:
        record["output_url"] = spec.output_url
    if spec.preview:
        record["preview"] = 1
    if key is not None:
        record["key"] = key.prefix
    if spec.webhook_url is not None:
        record["webhook_url"] = spec.webhook_url
    return record


def fields_of(spec: JobSpec) -> dict[str, str | float]:
    """Returns the fields of a record that say what the job is to do."""
    expected = spec.estimated_restoring_s
    return {
        **({} if expected is None else {"expected_s": expected}),
        "frames_total": spec.video.frames,
        "cost": spec.cost,
        "spec": SPEC.dump_json(spec).decode(),
        "source_bytes": spec.source.bytes,
        "work": work_of(spec),
        "model": spec.model,
    }


def _indexes(tenant: str, *statuses: JobStatus) -> list[str]:
    """Returns the sets that list a tenant's job in these states, those of all states included."""
    names = [key_names.ALL_JOBS, key_names.jobs_of(tenant)]
    for status in statuses:
        names += [key_names.jobs_with(status), key_names.jobs_of(tenant, status)]
    return names
