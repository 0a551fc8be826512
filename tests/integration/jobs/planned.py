"""A small job whose segments are planned, and the death of a worker."""

from __future__ import annotations

import redis

from service.jobs.job import Job, JobSpec, SourceFile, new_job_id
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.types import ColorTags, EncodeOptions, Segment, VideoInfo

TTL_S = 30
VIDEO = VideoInfo("mp4", "h264", 96, 64, 20, 0.8, 25.0, False, 0, 8, ColorTags(1, 1, 1, False), ("aac",), ())
SPEC = JobSpec("quick", EncodeOptions(), SourceFile("clip.mp4", 1000, "0" * 64), VIDEO)
PLAN = (Segment(0, 0, 10), Segment(1, 10, 20))


def planned(store: RedisJobStore, leases: StepLeases) -> Job:
    """A running job with two queued segments."""
    job = store.create(new_job_id(), SPEC)
    leases.claim(job.id, "plan")
    store.begin(job.id)
    leases.set_plan(job.id, PLAN)
    return store.get(job.id)


def crash(client: redis.Redis, job: Job, step: str) -> None:
    """What the death of a worker looks like once its claim has expired."""
    client.delete(f"cdvd:job:{job.id}:claim:{step}")
