"""Tells what became of sending a result to its ``output_url``."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from service.jobs.job import Handover, HandoverState


class HandoverBody(BaseModel):
    """What became of sending the result to its `output_url`. That it fails does not fail the job."""

    state: HandoverState
    attempts: int
    last_attempt_at: datetime | None
    last_answer: str | None = Field(
        examples=["200"], description="The HTTP status, or a sentence on what went wrong."
    )
    next_attempt_at: datetime | None


def handover_body(handover: Handover | None) -> HandoverBody | None:
    if handover is None:
        return None
    last, following = handover.last_attempt_at, handover.next_attempt_at
    return HandoverBody(
        state=handover.state,
        attempts=handover.attempts,
        last_attempt_at=moment(last) if last else None,
        last_answer=handover.last_answer,
        next_attempt_at=moment(following) if following else None,
    )


def moment(seconds: float) -> datetime:
    """Returns unix seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)
