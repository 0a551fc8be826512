"""How much a key may use, and what happens at once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis

from service.errors.limit import StorageQuotaExceeded, TooManyJobs
from service.redis_state import key_names
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyLimits, KeyRing, Scope
from service.tenancy.quotas import LEASE_S, Quotas
from tests.support.api_keys import (
    TUS,
    USUAL,
    new_key,
    redis_url,
    refused,
    submit,
    submitted,
    until_ended,
)
from tests.support.stack import SLOW, Service, paced_stack, until

pytestmark = pytest.mark.integration


def limited(answer: httpx.Response, code: str) -> None:
    refused(answer, 429, code)
    assert int(answer.headers["retry-after"]) > 0


def test_the_rate_of_submissions_is_limited(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring, per_minute=2)
    taken = [submitted(service, clip, key) for _ in range(2)]
    before = _of_others(service.files(), taken)
    answer = submit(service, clip, key)
    limited(answer, "rate_limited")
    assert int(answer.headers["retry-after"]) <= 30
    assert _of_others(service.files(), taken) <= before
    assert service.http.get("/jobs", headers=key).status_code == 200


def test_the_rate_does_not_wait_for_a_clock_that_was_set_back(
    service: Service, ring: KeyRing, clip: Path
) -> None:
    key = new_key(ring, per_minute=2)
    prefix = key["Authorization"].split("_")[1]
    with connect(redis_url(service)) as client:
        client.set(key_names.submission_rate(prefix), time.time() + 600)

    assert submitted(service, clip, key)


def _of_others(files: set[str], jobs: list[str]) -> set[str]:
    """Files that are not of these jobs, which go on meanwhile."""
    return {path for path in files if not any(job_id in path for job_id in jobs)}


def test_unfinished_jobs_are_limited_also_when_they_come_at_once(
    service: Service, ring: KeyRing, long_clip: Path
) -> None:
    key = new_key(ring, jobs=1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: submit(service, long_clip, key, SLOW), range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] + 7 * [429]
    [job_id] = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    limited(submit(service, long_clip, key, SLOW), "too_many_jobs")
    assert service.http.post(f"/jobs/{job_id}/cancel", headers=key).status_code == 202
    second = submitted(service, long_clip, key, SLOW)
    limited(service.http.post(f"/jobs/{job_id}/retry", headers=key), "too_many_jobs")
    assert service.http.delete(f"/jobs/{second}", headers=key).status_code == 204
    assert service.http.post(f"/jobs/{job_id}/retry", headers=key).status_code == 202
    assert service.http.delete(f"/jobs/{job_id}", headers=key).status_code == 204


def test_a_repeated_submission_needs_no_room(service: Service, ring: KeyRing, long_clip: Path) -> None:
    key, header = new_key(ring, jobs=1), {"Idempotency-Key": "again"}
    first = submit(service, long_clip, key, SLOW, **header)
    again = submit(service, long_clip, key, SLOW, **header)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert service.http.delete(f"/jobs/{first.json()['id']}", headers=key).status_code == 204


def test_refused_submissions_give_their_room_back(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring, jobs=1)
    for _ in range(3):
        answer = service.http.post("/jobs", files={"video": ("a.mp4", b"no video")}, headers=key)
        refused(answer, 415, "not_a_video")
    assert submit(service, clip, key).status_code == 202


def test_stored_bytes_are_limited(service: Service, ring: KeyRing, clip: Path, client: redis.Redis) -> None:
    size = clip.stat().st_size
    key = new_key(ring, bytes=size + 2000)
    job_id = submitted(service, clip, key)
    job = until_ended(service, job_id, key)
    prefix = key["Authorization"].split("_")[1]
    assert client.get(f"cdvd:key:{prefix}:bytes") == str(size + job["output"]["bytes"])
    video = until(lambda: _side_by_side(service, job_id, key), "the upload beside its result")
    together = str(size + job["output"]["bytes"] + len(video))
    until(lambda: client.get(f"cdvd:key:{prefix}:bytes") == together, "it counts, too")
    before = service.files()
    limited(submit(service, clip, key), "storage_quota_exceeded")
    upload = service.http.post("/uploads", headers={**key, **TUS, "Upload-Length": str(size)})
    limited(upload, "storage_quota_exceeded")
    assert service.files() <= before
    assert service.http.delete(f"/jobs/{job_id}", headers=key).status_code == 204
    assert client.get(f"cdvd:key:{prefix}:bytes") == "0"
    assert submit(service, clip, key).status_code == 202


def _side_by_side(service: Service, job_id: str, key: dict[str, str]) -> bytes | None:
    answer = service.http.get(f"/jobs/{job_id}/side-by-side.mp4", headers=key)
    return answer.content if answer.status_code == 200 else None


def test_what_a_gateway_that_died_had_reserved_lapses(ring: KeyRing, client: redis.Redis) -> None:
    key, _ = ring.create("lapsing", USUAL, limits=KeyLimits(bytes=100))
    quotas = Quotas(client)
    quotas.hold_bytes(key, "of the dead", 100, lease_s=-1)
    quotas.hold_bytes(key, "of the living", 100, lease_s=60)
    with pytest.raises(StorageQuotaExceeded):
        quotas.hold_bytes(key, "of the dead", 100, lease_s=60)
    quotas.let_go(key, "of the living")
    quotas.hold_bytes(key, "of the dead", 100, lease_s=60)


def test_a_key_has_only_so_many_resumable_uploads(
    ring: KeyRing, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few bytes they have: every submission looks at all of them."""
    monkeypatch.setattr("service.tenancy.quotas.MOST_UPLOADS", 2)
    key, _ = ring.create("many uploads", USUAL)
    quotas = Quotas(client)
    for name in ("first", "second", "second"):
        quotas.hold_bytes(key, name, 0, lease_s=60)
    with pytest.raises(StorageQuotaExceeded, match="2 uploads"):
        quotas.hold_bytes(key, "third", 0, lease_s=60)
    with quotas.room(key) as room:
        quotas.reserve(room, 1)
    quotas.let_go(key, "first")
    quotas.hold_bytes(key, "third", 0, lease_s=60)


def test_what_is_reserved_for_a_submission_lapses_soon_and_the_refusal_says_when(
    ring: KeyRing, client: redis.Redis
) -> None:
    key, _ = ring.create("one job", USUAL, limits=KeyLimits(jobs=1))
    quotas = Quotas(client)
    with quotas.room(key) as alive, quotas.room(key) as other:
        quotas.reserve(alive, 0)
        quotas.renew(alive)
        with pytest.raises(TooManyJobs) as refusal:
            quotas.reserve(other, 0)
        assert 0 < refusal.value.retry_after_s <= LEASE_S + 1 < 30
    with quotas.room(key) as after:
        quotas.renew(after)  # reserves nothing by itself
        quotas.reserve(after, 0)


def test_a_resumable_upload_counts_from_its_beginning(service: Service, ring: KeyRing) -> None:
    key = {**new_key(ring, bytes=1000), **TUS}
    first = service.http.post("/uploads", headers={**key, "Upload-Length": "600"})
    assert first.status_code == 201
    limited(service.http.post("/uploads", headers={**key, "Upload-Length": "600"}), "storage_quota_exceeded")
    assert service.http.delete(first.headers["location"], headers=key).status_code == 204
    assert service.http.post("/uploads", headers={**key, "Upload-Length": "600"}).status_code == 201


def test_keys_and_jobs_outlive_a_restart_and_a_queue_has_its_limit(tmp_path: Path, long_clip: Path) -> None:
    with paced_stack(tmp_path) as service:
        kept = submit(service, long_clip, {}, SLOW).json()["id"]  # without keys, as the default tenant
        with connect(redis_url(service)) as client:
            key, text = KeyRing(client).create("kept", USUAL)
            admin = new_key(KeyRing(client), Scope.ADMIN)
    headers = {"Authorization": f"Bearer {text}"}
    with paced_stack(tmp_path, {"CDVD_QUEUE_LIMIT": "1"}) as service:
        refused(service.http.get(f"/jobs/{kept}"), 401, "unauthenticated")
        assert service.http.get(f"/jobs/{kept}", headers=headers).status_code == 200
        until(
            lambda: service.http.get(f"/jobs/{kept}", headers=headers).json()["status"] == "running",
            "the job goes on",
        )
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: submit(service, long_clip, headers, SLOW), range(4)))
        codes = [json.loads(answer.text).get("code") for answer in answers if answer.status_code != 202]
        assert set(codes) == {"queue_full"}
        assert service.http.get(f"/jobs/{kept}", headers=admin).status_code == 200
    assert key.tenant == "default"
