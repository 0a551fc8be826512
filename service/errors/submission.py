"""Errors about what is asked for with a video: options and Idempotency-Key."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from service.errors.base import ServiceError

_SHOWN = 64
"""Characters of an unknown name that the answer repeats."""


class SubmissionError(ServiceError):
    """Base of what a submission is refused for, whatever its video."""

    code = "submission_rejected"


class InvalidOption(SubmissionError):
    """An option has a value that is not allowed."""

    code = "invalid_option"


class UnknownParameter(InvalidOption):
    """A query parameter or a field of the body has a name that the service does not know."""

    code = "unknown_parameter"


def unknown_parameter(name: str, known: Collection[str], kind: str) -> UnknownParameter:
    """Returns the refusal of a name that is none of ``known``; ``kind`` is what it should name."""
    near = get_close_matches(name, known, 1)
    listed = ", ".join(known) or "none here"
    if near:
        return UnknownParameter(
            f"There is no {kind} {name[:_SHOWN]!r}; did you mean {near[0]!r}? There are: {listed}."
        )
    return UnknownParameter(f"There is no {kind} {name[:_SHOWN]!r}; there are: {listed}.")


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
