"""Errors about a job and about what belongs to it."""

from __future__ import annotations

from service.errors.base import ServiceError


class JobError(ServiceError):
    """Base of what a request about a job is refused for, and of what ends one."""

    code = "job_error"


class JobNotFound(JobError):
    """There is no such job, or it belongs to another tenant."""

    code = "job_not_found"


class JobNotFinished(JobError):
    """The job has no result yet."""

    code = "job_not_finished"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        """``retry_after_s``: None for a job that will have none unless it is retried."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class JobStateConflict(JobError):
    """The job's status does not permit this, for example a cancel after its end."""

    code = "job_state_conflict"


class JobCanceled(JobError):
    """A cancel was asked for; raised between windows."""

    code = "job_canceled"


class ResultExpired(JobError):
    """The files of the job were removed after their time."""

    code = "result_expired"


class SourceMissing(JobError):
    """Somebody removed the source of a job that is not done."""

    code = "source_missing"


class FrameNotFound(JobError):
    """The video has no frame of this number."""

    code = "frame_not_found"


class FrameNotRestored(JobError):
    """The segment of this frame is still to do."""

    code = "frame_not_restored"


class ExportFailed(JobError):
    """No video of the upload beside its result can be made."""

    code = "export_failed"


class SegmentGaveUp(JobError):
    """A segment killed its worker too many times."""

    code = "segment_gave_up"


class WorkerNotFound(JobError):
    """There is no live worker of this name."""

    code = "worker_not_found"
