from __future__ import annotations

import json
from collections.abc import Iterator

from service.api.answers.problems import STATUS, problem, status_of
from service.errors.base import ServiceError
from service.errors.pipeline import PipelineError
from service.errors.storage import StorageFull
from service.errors.submission import SubmissionError
from service.errors.upload import UploadError
from service.errors.video import NotAVideo, VideoError
from service.errors.webhook import WebhookRefused


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _family(child)


def test_every_refused_upload_is_the_clients_affair_but_a_full_disk() -> None:
    refusals = (kind for base in (UploadError, VideoError, SubmissionError) for kind in _family(base))
    statuses = {kind: status_of(kind) for kind in (*refusals, WebhookRefused)}

    assert status_of(StorageFull) == 507
    assert len(statuses) > 20
    assert all(400 <= status < 500 for status in statuses.values())


def test_error_without_a_row_is_ours() -> None:
    assert status_of(PipelineError) == 500


def test_derived_error_has_the_status_of_its_nearest_ancestor() -> None:
    class Special(NotAVideo):
        pass

    assert status_of(Special) == STATUS[NotAVideo]


def test_problem_has_the_members_of_rfc_9457() -> None:
    answer = problem(415, "not_a_video", "why")

    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Not a video",
        "status": 415,
        "code": "not_a_video",
        "detail": "why",
    }


def test_absent_service_says_when_to_come_back() -> None:
    assert int(problem(503, "broker_unavailable", "why").headers["retry-after"]) > 0
