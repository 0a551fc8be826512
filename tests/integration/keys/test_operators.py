"""What operators see and do, and that nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from service.jobs.job import Failure
from service.jobs.store import RedisJobStore
from service.tenancy.api_keys import KeyRing, Scope
from tests.support.api_keys import (
    TUS,
    address,
    guarded,
    new_key,
    refused,
    submit,
    submitted,
    until_ended,
)
from tests.support.clips import Clip, write_clip
from tests.support.stack import SLOW, PacedService, Service, until

pytestmark = pytest.mark.integration


@pytest.fixture
def operator(ring: KeyRing) -> dict[str, str]:
    return new_key(ring, Scope.ADMIN)


def overview(service: Service, operator: dict[str, str]) -> dict[str, Any]:
    answer = service.http.get("/admin/overview", headers=operator)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def worker(service: Service, operator: dict[str, str]) -> dict[str, Any]:
    (found,) = overview(service, operator)["workers"]
    return dict(found)


def test_keys_without_the_scope_are_refused(service: Service, ring: KeyRing) -> None:
    keys = [new_key(ring, scope) for scope in Scope if scope is not Scope.ADMIN]
    routes = [(method, path) for method, path in guarded() if path.startswith("/admin")]
    assert len(routes) >= 5
    for method, path in routes:
        for key in keys:
            refused(service.http.request(method, address(path), headers=key), 403, "scope_missing")
        refused(service.http.request(method, address(path)), 401, "unauthenticated")


def test_operators_see_every_tenants_work(
    service: PacedService, ring: KeyRing, operator: dict[str, str], clip: Path
) -> None:
    one, other = new_key(ring, tenant="one"), new_key(ring, tenant="other")
    service.pace.hold()
    first = submitted(service, clip, one, SLOW)
    service.until_held()
    second = submitted(service, clip, other, SLOW)

    until(lambda: worker(service, operator)["steps"], "a heartbeat with the step")
    seen = overview(service, operator)
    works = {work["tenant"]: work for work in seen["tenants"]}
    listed = {job["id"]: (job["tenant"], job["filename"]) for job in seen["jobs"]}
    steps = [step["job"] for step in seen["workers"][0]["steps"]]
    for job_id in (first, second):
        assert service.http.post(f"/jobs/{job_id}/cancel", headers=operator).status_code == 202
    service.pace.release()

    assert works["one"]["frames_left"] == works["other"]["frames_left"] > 0
    assert works["one"]["running"] == 1
    assert works["one"]["oldest_wait_s"] is None
    assert (listed[first], listed[second]) == (("one", clip.name), ("other", clip.name))
    assert first in steps
    assert seen["workers"][0]["heard_s"] < 60
    assert seen["disk"]["total"] > seen["disk"]["free"] > 0
    assert seen["broker"]["used"] > 0
    assert {until_ended(service, job_id, operator)["status"] for job_id in (first, second)} == {"canceled"}


def test_failures_are_told_with_their_reasons(
    service: PacedService, ring: KeyRing, client: redis.Redis, operator: dict[str, str], clip: Path
) -> None:
    service.pace.hold()
    job_id = submitted(service, clip, new_key(ring, tenant="unlucky"), SLOW)
    RedisJobStore(client).fail(job_id, Failure("segment_gave_up", "It crashed its worker 3 times."))
    service.pace.release()

    (failed,) = (job for job in overview(service, operator)["failures"] if job["id"] == job_id)
    assert (failed["tenant"], failed["error"]["code"]) == ("unlucky", "segment_gave_up")
    assert failed["error"]["detail"] == "It crashed its worker 3 times."


def test_worker_that_drains_ends_its_step_and_begins_no_other(
    service: PacedService, ring: KeyRing, operator: dict[str, str], tmp_path: Path
) -> None:
    key = new_key(ring)
    service.pace.hold()
    job_id = submitted(service, write_clip(tmp_path / "segments.mp4", Clip(frames=140)), key, SLOW)
    service.until_held()
    path = f"/admin/workers/{worker(service, operator)['name']}/drain"
    assert service.http.put(path, headers=operator).status_code == 204
    until(lambda: worker(service, operator)["draining"], "the worker is asked to drain")
    state = worker(service, operator)
    assert not state["drained"]
    unready = service.http.get("/readyz")
    assert (unready.status_code, "all drain" in unready.json()["detail"]) == (503, True)

    service.pace.release()
    until(lambda: worker(service, operator)["drained"], "the worker is drained")
    job = service.http.get(f"/jobs/{job_id}", headers=key).json()
    assert job["status"] == "running"
    assert 0 < job["progress"]["frames_done"] < job["progress"]["frames_total"]

    assert service.http.delete(path, headers=operator).status_code == 204
    assert service.http.get("/readyz").status_code == 200
    assert until_ended(service, job_id, key)["status"] == "succeeded"
    assert not worker(service, operator)["draining"]


def test_unknown_worker_cannot_drain(service: Service, operator: dict[str, str]) -> None:
    refused(service.http.put("/admin/workers/nobody/drain", headers=operator), 404, "worker_not_found")


def test_closed_intake_takes_no_new_work(
    service: Service, ring: KeyRing, operator: dict[str, str], clip: Path
) -> None:
    key = new_key(ring)
    before = submitted(service, clip, key)
    assert service.http.put("/admin/intake/closed", headers=operator).status_code == 204
    closed = submit(service, clip, key)
    upload = service.http.post("/uploads", headers={**TUS, **key, "Upload-Length": "9"})
    again = service.http.post(f"/jobs/{before}/retry", headers=key)
    assert overview(service, operator)["intake_closed"]
    assert service.http.delete("/admin/intake/closed", headers=operator).status_code == 204

    for answer in (closed, upload, again):
        refused(answer, 503, "intake_closed")
        assert int(answer.headers["retry-after"]) > 0
    assert until_ended(service, before, key)["status"] == "succeeded"
    assert submit(service, clip, key).status_code == 202
