"""Makes a Job from what Redis holds of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from service.jobs.job import Failure, Job, JobSpec, JobStatus, Output, Progress, Stage
from service.memory.plan import MemoryPlan
from service.tenancy.api_keys import DEFAULT_TENANT
from service.types import Segment

SPEC = TypeAdapter(JobSpec)
SPACE = "space"
"""What the field ``wanting`` of a record says while steps wait for room on a disk."""
PLAN = TypeAdapter(tuple[Segment, ...])
MEMORY_PLANS = TypeAdapter(tuple[MemoryPlan, ...])
OUTPUT = TypeAdapter(Output)


def read_job(job_id: str, record: Mapping[str, str], frames: Sequence[str], steps: Sequence[str]) -> Job:
    """Returns the job in a Redis hash.

    ``frames``: the numbers of restored frames of the steps. ``steps``: the states of the steps still to do.
    """
    spec = SPEC.validate_json(record["spec"])
    status = JobStatus(record["status"])
    plan = PLAN.validate_json(record["plan"]) if "plan" in record else ()
    return Job(
        id=job_id,
        status=status,
        spec=spec,
        created_at=float(record["created_at"]),
        started_at=_number(record, "started_at"),
        finished_at=_number(record, "finished_at"),
        expires_at=_number(record, "expires_at"),
        plan=plan,
        progress=_progress(status, record, spec, sum(map(int, frames)), steps),
        output=OUTPUT.validate_json(record["output"]) if "output" in record else None,
        error=Failure(**json.loads(record["error"])) if "error" in record else None,
        tenant=record.get("tenant", DEFAULT_TENANT),
        memory_plans=MEMORY_PLANS.validate_json(record.get("memory_plans", "[]")),
    )


def _number(record: Mapping[str, str], name: str) -> float | None:
    return float(record[name]) if name in record else None


def _progress(
    status: JobStatus, record: Mapping[str, str], spec: JobSpec, done: int, steps: Sequence[str]
) -> Progress:
    """Estimates by the measured rate of one worker times the workers at it, so that downtime does not count."""
    total, seconds = spec.video.frames, _number(record, "timed_seconds")
    newest = int(record["newest_frame"]) if "newest_frame" in record else None
    if not seconds:
        return Progress(
            _stage(status, record, done, total), done, total, None, _expected(status, spec), newest
        )
    working = max(1, sum(state == "running" for state in steps)) if status.active else 1
    rate = int(record["timed_frames"]) / seconds * working
    eta = (total - done) / rate if rate and status.active else None
    return Progress(_stage(status, record, done, total), done, total, rate, eta, newest)


def _expected(status: JobStatus, spec: JobSpec) -> float | None:
    """Returns the seconds that were estimated at submission, used until a window of the job itself was timed."""
    if status is JobStatus.QUEUED:
        return spec.estimated_s
    return spec.estimated_restoring_s if status is JobStatus.RUNNING else None


def _stage(status: JobStatus, record: Mapping[str, str], done: int, total: int) -> Stage:
    if status is JobStatus.QUEUED:
        return Stage.QUEUED
    if status is JobStatus.RUNNING:
        if record.get("wanting") == SPACE:
            return Stage.WAITING_FOR_SPACE
        if "plan" not in record:
            return Stage.PLANNING
        return Stage.RESTORING if done < total else Stage.JOINING
    return Stage.FINISHED if status in (JobStatus.SUCCEEDED, JobStatus.EXPIRED) else Stage.STOPPED
