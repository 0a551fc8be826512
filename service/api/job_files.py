"""Finds jobs whose files a route is to hand out."""

from __future__ import annotations

from service.errors.job import JobNotFinished, ResultExpired
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader


def job_with_files(jobs: JobReader, job_id: str) -> Job:
    """Returns a job whose files are still there. Raises JobNotFound and ResultExpired."""
    job = jobs.get(job_id)
    if job.status is JobStatus.EXPIRED:
        raise ResultExpired("The files of this job were removed when its time was over.")
    return job


def finished_job(jobs: JobReader, job_id: str) -> Job:
    """Returns a job that has succeeded. Raises JobNotFound, ResultExpired and JobNotFinished."""
    job = job_with_files(jobs, job_id)
    if job.status is not JobStatus.SUCCEEDED:
        raise JobNotFinished(f"The job is {job.status}; there is a result once it has succeeded.")
    return job


def job_with_video(jobs: JobReader, job_id: str) -> Job:
    """Returns a job that has succeeded, or that was canceled and left its beginning.

    Raises JobNotFound, ResultExpired and JobNotFinished.
    """
    job = job_with_files(jobs, job_id)
    return job if job.status is JobStatus.CANCELED and job.output else finished_job(jobs, job_id)
