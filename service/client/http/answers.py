"""Reads answers: JSON, problem documents, and when to ask again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from service.client.errors import AddressUnusable, RequestRejected
from service.client.http.calls import Answer
from service.client.model import Job, Problem, from_json

DEFAULT_POLL_S = 1.0
SHORTEST_POLL_S, LONGEST_POLL_S = 0.1, 30.0


def require_success(answer: Answer) -> Answer:
    """Returns the answer if it is a success. Raises RequestRejected."""
    if answer.success:
        return answer
    problem = _problem(answer)
    raise RequestRejected(
        problem.detail or problem.title,
        problem.code,
        answer.status,
        retry_after_s=_retry_after(answer.headers),
    )


def json_object(answer: Answer, *keys: str) -> dict[str, Any]:
    """Returns the body, an object with at least these keys. Raises RequestRejected, AddressUnusable."""
    value = _parsed(require_success(answer).content)
    if value is None or not value.keys() >= set(keys):
        raise AddressUnusable(f"What answers at {answer.url} is not this service.")
    return value


def job_from(answer: Answer) -> Job:
    """Returns the job in the body. Raises RequestRejected, AddressUnusable."""
    return Job.from_json(json_object(answer, "id", "status"))


def poll_interval(headers: Mapping[str, str]) -> float:
    """Returns the seconds until the next request, which Retry-After asks for, within sensible limits."""
    wanted = _retry_after(headers)
    return min(max(DEFAULT_POLL_S if wanted is None else wanted, SHORTEST_POLL_S), LONGEST_POLL_S)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds of Retry-After. It may also be a date, which this service never sends."""
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _problem(answer: Answer) -> Problem:
    """Returns the problem document of an error, made up where a proxy answered with something else."""
    title = f"HTTP {answer.status} {answer.reason}".rstrip()
    return from_json(Problem, {"title": title, "status": answer.status} | (_parsed(answer.content) or {}))


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
