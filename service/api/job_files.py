"""Finds jobs whose files a route is to hand out."""

from __future__ import annotations

from service.errors.job import JobNotFinished, ResultExpired
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader

POLL_S = range(1, 11)
"""Bounds in seconds of the Retry-After of a job that is not over: often at first, every ten for a long one."""


def job_with_files(jobs: JobReader, job_id: str) -> Job:
    """Returns a job whose files are there. Raises JobNotFound, ResultExpired and JobNotFinished."""
    return _here(jobs.get(job_id))


def finished_job(jobs: JobReader, job_id: str) -> Job:
    """Returns a job that has succeeded. Raises JobNotFound, ResultExpired and JobNotFinished."""
    return _succeeded(jobs.get(job_id))


def with_video(job: Job) -> Job:
    """Returns the job if it has succeeded, or was canceled and left its beginning.

    Raises ResultExpired and JobNotFinished.
    """
    return job if job.status is JobStatus.CANCELED and job.output else _succeeded(job)


def poll_s(job: Job) -> int | None:
    """Returns after how many seconds it is worth asking for a job again: a twentieth of those that are left.

    Twenty polls are enough for any progress bar. None for a job that has ended.
    """
    wanted = round((job.progress.eta_s or 0) / 20)
    return min(max(wanted, POLL_S.start), POLL_S.stop - 1) if job.status.active else None


def _here(job: Job) -> Job:
    if job.spec.order is not None:
        raise JobNotFinished("The video of this job is not fetched yet.", poll_s(job))
    return _unexpired(job)


def _unexpired(job: Job) -> Job:
    if job.status is JobStatus.EXPIRED:
        raise ResultExpired("The files of this job were removed when its time was over.")
    return job


def _succeeded(job: Job) -> Job:
    if _unexpired(job).status is not JobStatus.SUCCEEDED:
        raise JobNotFinished(
            f"The job is {job.status}; there is a result once it has succeeded.", poll_s(job)
        )
    return job
