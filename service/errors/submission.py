"""Errors about what is asked for with a video: options and Idempotency-Key."""

from __future__ import annotations

from service.errors.base import ServiceError


class SubmissionError(ServiceError):
    """Base of what a submission is refused for, whatever its video."""

    code = "submission_rejected"


class InvalidOption(SubmissionError):
    """An option has a value that is not allowed."""

    code = "invalid_option"


class NeedsMoreMemory(SubmissionError):
    """No worker has the memory that frames of this size need."""

    code = "needs_more_memory"


class SubmissionInFlight(SubmissionError):
    """A submission with the same Idempotency-Key is under way."""

    code = "submission_in_flight"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class IdempotencyKeyReused(SubmissionError):
    """The Idempotency-Key was used for something else."""

    code = "idempotency_key_reused"
