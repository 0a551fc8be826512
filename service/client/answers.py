"""Reading answers: JSON, problem documents, and what headers ask of a client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from service.client.errors import AddressUnusable, RequestRejected
from service.client.model import Job, Problem, read
from service.client.steps import Answer

DEFAULT_POLL_S = 1.0
SHORTEST_POLL_S, LONGEST_POLL_S = 0.1, 30.0


def checked(answer: Answer) -> Answer:
    """The answer, if it is none of an error. Raises RequestRejected."""
    if answer.success:
        return answer
    problem = _problem(answer)
    asked = _seconds(answer.headers)
    raise RequestRejected(problem.detail or problem.title, problem.code, answer.status, retry_after_s=asked)


def document(answer: Answer, *keys: str) -> dict[str, Any]:
    """The body, an object with these keys. Raises RequestRejected, and AddressUnusable for anything else."""
    value = _parsed(checked(answer).content)
    if value is None or not value.keys() >= set(keys):
        raise AddressUnusable(f"what answers at {answer.url} is not this service")
    return value


def job_in(answer: Answer) -> Job:
    """Raises RequestRejected and AddressUnusable."""
    return Job.from_json(document(answer, "id", "status"))


def poll_interval(headers: Mapping[str, str]) -> float:
    """Seconds until the next question, as Retry-After asks for."""
    asked = _seconds(headers)
    return min(max(DEFAULT_POLL_S if asked is None else asked, SHORTEST_POLL_S), LONGEST_POLL_S)


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After may also be a date, which this service never sends."""
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else None


def _problem(answer: Answer) -> Problem:
    """The problem document of an error; a proxy in between may have answered with something else."""
    title = f"HTTP {answer.status} {answer.reason}".rstrip()
    return read(Problem, {"title": title, "status": answer.status} | (_parsed(answer.content) or {}))


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
