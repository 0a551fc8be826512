"""Whose is what: nobody sees, changes or counts what is another tenant's."""

from __future__ import annotations

from pathlib import Path

import pytest

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
from tests.support.stack import QUICK, Service

pytestmark = pytest.mark.integration


def test_another_tenants_job_does_not_exist(service: Service, ring: KeyRing, clip: Path) -> None:
    owner, stranger = new_key(ring), new_key(ring)
    job_id = submitted(service, clip, owner)
    until_ended(service, job_id, owner)
    job_routes = [(method, path) for method, path in guarded() if "{job_id}" in path]
    assert len(job_routes) > 10
    for method, path in job_routes:
        answer = service.http.request(method, address(path, job_id), headers=stranger)
        assert answer.status_code == 404, (method, path, answer.text)
        assert method == "HEAD" or answer.json()["code"] == "job_not_found"
    assert service.http.get(f"/jobs/{job_id}", headers=owner).json()["status"] == "succeeded"


def test_lists_have_the_own_tenants_jobs_alone(service: Service, ring: KeyRing, clip: Path) -> None:
    first, second, operator = new_key(ring), new_key(ring), new_key(ring, Scope.ADMIN)
    mine, other = submitted(service, clip, first), submitted(service, clip, second)
    until_ended(service, mine, first)

    def ids(key: dict[str, str], query: str = "") -> list[str]:
        answer = service.http.get(f"/jobs?limit=100{query}", headers=key)
        return [job["id"] for job in answer.json()["jobs"]]

    assert ids(first) == [mine] == ids(first, "&status=succeeded")
    assert ids(first, "&status=queued") == []
    assert ids(second) == [other]
    assert {mine, other} <= set(ids(operator))
    assert service.http.delete(f"/jobs/{mine}", headers=first).status_code == 204
    assert ids(first) == []


def test_an_idempotency_key_is_its_tenants(service: Service, ring: KeyRing, clip: Path) -> None:
    first, second = new_key(ring), new_key(ring)
    header = {"Idempotency-Key": "the-same"}
    jobs = [submit(service, clip, key, **header).json()["id"] for key in (first, first, second)]
    assert jobs[0] == jobs[1] != jobs[2]


def test_a_job_is_repeated_by_its_tenant_alone(service: Service, ring: KeyRing, clip: Path) -> None:
    owner, stranger, operator = new_key(ring), new_key(ring), new_key(ring, Scope.ADMIN)
    form = {"source": (None, submitted(service, clip, owner)), "model": (None, QUICK)}
    for other in (stranger, operator):
        refused(service.http.post("/jobs", files=form, headers=other), 404, "job_not_found")
    assert service.http.post("/jobs", files=form, headers=owner).status_code == 202


def test_a_repeated_video_counts_for_each_of_its_jobs(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring, bytes=3 * clip.stat().st_size)
    form = {"source": (None, submitted(service, clip, key)), "model": (None, QUICK)}
    answers = [service.http.post("/jobs", files=form, headers=key) for _ in range(3)]
    refused(answers[-1], 429, "storage_quota_exceeded")


def test_a_resumable_upload_is_its_tenants(service: Service, ring: KeyRing, clip: Path) -> None:
    owner, stranger = ({**new_key(ring), **TUS} for _ in range(2))
    data = clip.read_bytes()
    begun = service.http.post("/uploads", headers={**owner, "Upload-Length": str(len(data))})
    where = begun.headers["location"]
    writing = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert service.http.head(where, headers=stranger).status_code == 404
    refused(service.http.patch(where, content=data, headers={**stranger, **writing}), 404, "upload_not_found")
    refused(service.http.delete(where, headers=stranger), 404, "upload_not_found")
    assert service.http.patch(where, content=data, headers={**owner, **writing}).status_code == 204
    form = {"upload": (None, where.rpartition("/")[2]), "model": (None, QUICK)}
    refused(service.http.post("/jobs", files=form, headers=stranger), 404, "upload_not_found")
    assert service.http.post("/jobs", files=form, headers=owner).status_code == 202
