"""Makes a Job from what Redis holds of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from service.jobs.job import EtaReason, Failure, Handover, Job, JobSpec, JobStatus, Output, Progress, Stage
from service.memory.plan import MemoryPlan
from service.tenancy.api_keys import DEFAULT_TENANT
from service.types import Segment

SPEC = TypeAdapter(JobSpec)
SPACE = "space"
"""What the field ``wanting`` of a record says while steps wait for room on a disk."""
PATIENCE_S = 2.0
"""Seconds, beside those of two windows, until the silence of a job makes its end later."""
PLAN = TypeAdapter(tuple[Segment, ...])
MEMORY_PLANS = TypeAdapter(tuple[MemoryPlan, ...])
OUTPUT = TypeAdapter(Output)
HANDOVER = TypeAdapter(Handover)


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
        handover=HANDOVER.validate_json(record["handover"]) if "handover" in record else None,
    )


def _number(record: Mapping[str, str], name: str) -> float | None:
    return float(record[name]) if name in record else None


def _progress(
    status: JobStatus, record: Mapping[str, str], spec: JobSpec, done: int, steps: Sequence[str]
) -> Progress:
    """Measures by the rate of one worker times the workers at it, so that downtime does not count."""
    if "fetched" in record:
        there, _, whole = record["fetched"].partition(" ")
        stage = _stage(status, record, 0, 0)
        whole_bytes = int(whole) if whole else None
        return Progress(stage, 0, 0, None, None, bytes_done=int(there), bytes_total=whole_bytes)
    total, seconds = spec.video.frames, _number(record, "timed_seconds")
    newest = int(record["newest_frame"]) if "newest_frame" in record else None
    working = max(1, sum(state == "running" for state in steps)) if status.active else 1
    rate = int(record["timed_frames"]) / seconds * working if seconds else None
    eta, reason = _eta(status, record, spec, "running" in steps, time.time())
    if rate and "eta_at" not in record and status is JobStatus.RUNNING:
        eta, reason = (total - done) / rate, None  # begun by an older release, or retried
    return Progress(_stage(status, record, done, total), done, total, rate, eta, newest, reason)


def _eta(
    status: JobStatus, record: Mapping[str, str], spec: JobSpec, working: bool, now: float
) -> tuple[float | None, EtaReason | None]:
    """Returns the seconds that are left, and why that is more than before."""
    if status is JobStatus.QUEUED:
        return _until_begun(record, spec, now)
    if status is not JobStatus.RUNNING:
        return None, None
    said, known = _number(record, "eta_at"), _number(record, "progress_at")
    if said is None or known is None:
        return _unmeasured(record, spec, working, now)
    reason = EtaReason(record["eta_reason"]) if record.get("eta_reason") else None
    if record.get("wanting") == SPACE:
        return said - known, EtaReason.WAITING_FOR_SPACE
    if not working and said > known:
        return said - known, EtaReason.WAITING_FOR_TURN
    silent, patience = max(0.0, now - known), PATIENCE_S + 2 * float(record["window_s"])
    if silent > patience:
        reason = reason or EtaReason.SLOWER
    return max(0.0, said - known - min(silent, patience)), reason


def _until_begun(
    record: Mapping[str, str], spec: JobSpec, now: float
) -> tuple[float | None, EtaReason | None]:
    """Goes by the estimate at submission, and never below what the work itself takes."""
    if spec.estimated_s is None or spec.estimated_restoring_s is None:
        return spec.estimated_s, None
    left = float(record["created_at"]) + spec.estimated_s - now
    late = left < spec.estimated_restoring_s - PATIENCE_S
    reason = EtaReason.WAITING_FOR_TURN if late else None
    return max(left, spec.estimated_restoring_s), reason


def _unmeasured(
    record: Mapping[str, str], spec: JobSpec, working: bool, now: float
) -> tuple[float | None, EtaReason | None]:
    """Goes by the estimate at submission until a window of the job itself was timed."""
    reason = EtaReason.WAITING_FOR_SPACE if record.get("wanting") == SPACE else None
    past = max(0.0, now - float(record["started_at"]))
    if "plan" in record and not working and not reason and past > PATIENCE_S:
        return _until_begun(record, spec, now)[0], EtaReason.WAITING_FOR_TURN
    if spec.estimated_restoring_s is None:
        return None, None
    left = spec.estimated_restoring_s - past
    late = reason or (EtaReason.SLOWER if left < -PATIENCE_S else None)
    return max(left, 0.0), late


def _stage(status: JobStatus, record: Mapping[str, str], done: int, total: int) -> Stage:
    if status is JobStatus.QUEUED:
        if "fetched" not in record:
            return Stage.QUEUED
        return Stage.WAITING_FOR_SPACE if record.get("wanting") == SPACE else Stage.FETCHING
    if status is JobStatus.RUNNING:
        if record.get("wanting") == SPACE:
            return Stage.WAITING_FOR_SPACE
        if "plan" not in record:
            return Stage.PLANNING
        return Stage.RESTORING if done < total else Stage.JOINING
    return Stage.FINISHED if status in (JobStatus.SUCCEEDED, JobStatus.EXPIRED) else Stage.STOPPED
