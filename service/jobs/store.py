"""Jobs in Redis: records, states, the list of jobs."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import redis

from service.errors.job import JobNotFound, JobStateConflict
from service.jobs import steps
from service.jobs.job import JOB_ID, Failure, Job, JobSpec, JobStatus, Output, sources_of
from service.jobs.record import SPEC, read_job
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts
from service.redis_state.key_names import Account, JobKeys
from service.redis_state.scripts import jobs as job_scripts
from service.tenancy.api_keys import DEFAULT_TENANT
from service.tenancy.quotas import Reservation


@dataclass(frozen=True)
class JobPage:
    """Jobs, newest first, and the cursor of the next page; None on the last one."""

    jobs: tuple[Job, ...]
    cursor: str | None


class RedisJobStore:
    """Reads and changes jobs. Every method raises BrokerUnavailable when Redis cannot be reached."""

    def __init__(self, client: redis.Redis, retention_s: float = 0) -> None:
        """``retention_s``: for how long files stay after a job has ended; 0 is for ever."""
        self._redis = client
        self._retention_s = retention_s
        self._tenant: str | None = None
        self._enroll = client.register_script(job_scripts.ENROLL)
        self._withdraw = client.register_script(job_scripts.WITHDRAW)
        self._set_partial = client.register_script(job_scripts.SET_PARTIAL)
        self._transition = client.register_script(job_scripts.TRANSITION)
        self._retry = client.register_script(job_scripts.RETRY)

    def of(self, tenant: str) -> RedisJobStore:
        """The same store, in which there are the jobs of one tenant and no others."""
        view = copy.copy(self)
        view._tenant = tenant
        return view

    def create(
        self,
        job_id: str,
        spec: JobSpec,
        reservation: Reservation | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Job:
        """Record a new queued job whose first step, the plan, is to be enqueued by the caller.

        What was reserved for it becomes its own in the same transaction.
        """
        now = time.time()
        record: dict[bytes | bytearray | memoryview[int] | str | int | float, str | float] = {
            "status": JobStatus.QUEUED.value,
            "created_at": now,
            "spec": SPEC.dump_json(spec).decode(),
            "tenant": tenant,
            "source_bytes": spec.source.bytes,
        }
        if reservation is not None and reservation.key is not None:
            record["key"] = reservation.key.prefix
        if spec.webhook_url is not None:
            record["webhook_url"] = spec.webhook_url
        names = JobKeys(job_id)
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(names.record, mapping=record)
            pipe.hset(names.steps, steps.PLAN, f"queued {now}")
            pipe.zadd(key_names.ALL_JOBS, {job_id: 0})
            pipe.zadd(key_names.jobs_with(JobStatus.QUEUED), {job_id: 0})
            pipe.zadd(key_names.jobs_of(tenant), {job_id: 0})
            pipe.zadd(key_names.jobs_of(tenant, JobStatus.QUEUED), {job_id: 0})
            pipe.xadd(names.events, {"type": "status", "status": JobStatus.QUEUED.value, "time": now})
            self._enroll(keys=[names.record], args=[job_id], client=pipe)
            if reservation is not None:
                pipe.hdel(key_names.QUEUE.held, reservation.token)
                if reservation.key is not None:
                    pipe.hdel(Account(reservation.key.prefix).held, reservation.token)
            pipe.execute()
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """The job as it is now. Raises JobNotFound, also for what cannot be an id."""
        found = self._read([job_id]) if JOB_ID.fullmatch(job_id) else ()
        if not found:
            raise JobNotFound(f"there is no job {job_id[:64]!r}")
        return found[0]

    def page(self, status: JobStatus | None = None, limit: int = 20, cursor: str | None = None) -> JobPage:
        """Up to ``limit`` jobs that are older than ``cursor``, newest first."""
        index = self._index(status)
        newest = f"({cursor}" if cursor else "+"
        with broker_errors():
            ids = texts(self._redis.zrevrangebylex(index, newest, "-", start=0, num=limit + 1))
        jobs = self._read(ids[:limit])
        return JobPage(jobs, ids[limit - 1] if len(ids) > limit else None)

    def active(self) -> list[str]:
        """Ids of all queued and running jobs, oldest first."""
        with broker_errors():
            running = self._redis.zrange(key_names.jobs_with(JobStatus.RUNNING), 0, -1)
            queued = self._redis.zrange(key_names.jobs_with(JobStatus.QUEUED), 0, -1)
        return sorted({*running, *queued})

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs are on record in each state."""
        with broker_errors():
            return {status: int(self._redis.zcard(key_names.jobs_with(status))) for status in JobStatus}

    def exists(self, job_id: str) -> bool:
        """Whether any tenant has it."""
        with broker_errors():
            return bool(self._redis.exists(JobKeys(job_id).record))

    def is_running(self, job_id: str) -> bool:
        """Whether work on the job is still wanted; read between windows, so this is one small call."""
        with broker_errors():
            return bool(self._redis.hget(JobKeys(job_id).record, "status") == JobStatus.RUNNING.value)

    def begin(self, job_id: str) -> None:
        """Queued becomes running; a job that is anything else stays what it is."""
        self._change(job_id, JobStatus.RUNNING, {"started_at": time.time()})

    def succeed(self, job_id: str, output: Output) -> bool:
        """Running becomes succeeded. False if the job was canceled or deleted in the meantime."""
        fields = {**self._ended(), "output": json.dumps(asdict(output))}
        if self._change(job_id, JobStatus.SUCCEEDED, fields) != "changed":
            return False
        with broker_errors():
            self._redis.delete(JobKeys(job_id).steps)
        return True

    def fail(self, job_id: str, failure: Failure) -> bool:
        """An active job becomes failed. False if it was not active any more."""
        fields = {**self._ended(), "error": json.dumps(asdict(failure))}
        return self._change(job_id, JobStatus.FAILED, fields) == "changed"

    def cancel(self, job_id: str) -> Job:
        """An active job becomes canceled; its workers stop at the next window.

        Raises JobNotFound, and JobStateConflict for a job that is over (canceled again is fine).
        """
        self._require(job_id)
        answer = self._change(job_id, JobStatus.CANCELED, self._ended())
        if answer not in ("changed", JobStatus.CANCELED, "missing"):
            raise JobStateConflict(f"the job has {answer}; only queued and running jobs can be canceled")
        return self.get(job_id)

    def retry(self, job_id: str) -> tuple[str, ...]:
        """A failed or canceled job becomes queued; finished segments stay finished.

        Returns the steps to enqueue. Raises JobNotFound and JobStateConflict.
        """
        self._require(job_id)
        answer = self._change(job_id, JobStatus.QUEUED, {})
        if answer == "missing":
            raise JobNotFound(f"there is no job {job_id[:64]!r}")
        if answer != "changed":
            raise JobStateConflict(f"the job is {answer}; only failed and canceled jobs can be retried")
        names = JobKeys(job_id)
        with broker_errors():
            self._redis.delete(names.deliveries, names.postponed)
            return tuple(self._retry(keys=[names.record, names.steps], args=[time.time()]))

    def keep_partial(self, job_id: str, output: Output) -> bool:
        """Record the file that a canceled job leaves. False if it is not canceled any more."""
        with broker_errors():
            text = json.dumps(asdict(output))
            return bool(self._set_partial(keys=[JobKeys(job_id).record], args=[text, job_id]))

    def expire(self, job_id: str) -> bool:
        """A job that has ended becomes expired. False if it is active again or deleted."""
        return self._change(job_id, JobStatus.EXPIRED, {}) in ("changed", JobStatus.EXPIRED)

    def delete(self, job_id: str) -> None:
        """Forget the job, whatever its state; workers notice at the next window. Raises JobNotFound."""
        tenant = self.get(job_id).tenant
        names = JobKeys(job_id)
        everywhere = (
            key_names.PARTIALS_DUE,
            key_names.EXPIRY_DUE,
            key_names.FORGET_DUE,
            key_names.ALL_JOBS,
            key_names.jobs_of(tenant),
        )
        by_status = [
            name
            for status in JobStatus
            for name in (key_names.jobs_with(status), key_names.jobs_of(tenant, status))
        ]
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            self._withdraw(keys=[names.record], args=[job_id], client=pipe)
            pipe.delete(*names.all())
            for index in (*everywhere, *by_status):
                pipe.zrem(index, job_id)
            pipe.execute()

    def _require(self, job_id: str) -> None:
        """Raises JobNotFound for what is another tenant's."""
        if self._tenant is not None:
            self.get(job_id)

    def _index(self, status: JobStatus | None) -> str:
        if self._tenant is not None:
            return key_names.jobs_of(self._tenant, status)
        return key_names.jobs_with(status) if status else key_names.ALL_JOBS

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

    def _read(self, ids: list[str]) -> tuple[Job, ...]:
        """Snapshots of those ids that have a record, in their order, in one round trip."""
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            for job_id in ids:
                names = JobKeys(job_id)
                pipe.hgetall(names.record)
                pipe.hvals(names.frames)
                pipe.hvals(names.steps)
            answers = pipe.execute()
        rows = zip(ids, answers[0::3], answers[1::3], answers[2::3], strict=True)
        jobs = (read_job(job_id, record, frames, state) for job_id, record, frames, state in rows if record)
        return tuple(job for job in jobs if self._tenant in (None, job.tenant))
