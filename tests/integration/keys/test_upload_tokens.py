"""Tokens with which a browser sends one video: what they open, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from service.api.access import RULES
from service.errors.limit import RateLimited
from service.redis_state import key_names
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing, Scope
from service.tenancy.quotas import TRIES_PER_MINUTE, Quotas
from tests.support.api_keys import (
    TUS,
    address,
    guarded,
    new_key,
    redis_url,
    refused,
    submitted,
    until_ended,
)
from tests.support.stack import QUICK, SLOW, PacedService, Service, running_stack, until

pytestmark = pytest.mark.integration

OPENED = {
    "POST /uploads",
    "HEAD /uploads/{upload_id}",
    "PATCH /uploads/{upload_id}",
    "DELETE /uploads/{upload_id}",
    "POST /jobs",
    "GET /jobs/{job_id}",
    "GET /jobs/{job_id}/events",
    "GET /jobs/{job_id}/result",
    "HEAD /jobs/{job_id}/result",
}
BODY = {**TUS, "Content-Type": "application/offset+octet-stream"}
FIXED = {"model": QUICK}


def issued(service: Service, key: dict[str, str], **wanted: Any) -> dict[str, Any]:
    answer = service.http.post("/upload-tokens", json=wanted, headers=key)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/upload-tokens/{answer.json()['id']}"
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {token['token']}"}


def begun(service: Service, token: dict[str, str], size: int, metadata: str = "filename YS5tcDQ=") -> Any:
    headers = {**token, **TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
    return service.http.post("/uploads", headers=headers)


def uploaded(service: Service, token: dict[str, str], data: bytes) -> str:
    """The id of a complete upload."""
    answer = begun(service, token, len(data))
    assert answer.status_code == 201, answer.text
    where = answer.headers["location"]
    sent = service.http.patch(where, content=data, headers={**token, **BODY, "Upload-Offset": "0"})
    assert sent.status_code == 204, sent.text
    return str(where.rpartition("/")[2])


def job_of(
    service: Service, token: dict[str, str], upload: str, query: str = "", **fields: str
) -> httpx.Response:
    form = {name: (None, value) for name, value in {"upload": upload, **fields}.items()}
    return service.http.post(f"/jobs{query}", files=form, headers=token)


def made(service: Service, token: dict[str, str], clip: Path, **fields: str) -> str:
    answer = job_of(service, token, uploaded(service, token, clip.read_bytes()), **fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_token_opens_its_own_way_and_no_other_route(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring)
    other = submitted(service, clip, key)  # of the same tenant
    token = bearer(issued(service, key, options=FIXED))
    job_id = made(service, token, clip)
    until_ended(service, job_id, token)
    seen = set()
    for method, path in guarded():
        for job, own in ((job_id, True), (other, False)):
            answer = service.http.request(method, address(path, job), headers=token)
            if f"{method} {path}" not in OPENED or path == "/jobs":
                assert answer.status_code == 403, (method, path, answer.text)
                assert method == "HEAD" or answer.json()["code"] == "scope_missing"
            elif "{" in path and not (own and "{job_id}" in path):
                assert answer.status_code == 404, (method, path, answer.text)
            elif "{job_id}" in path:
                assert answer.is_success, (method, path, answer.text)
        seen.add(f"{method} {path}")
    assert seen >= OPENED
    assert {route for route, rule in RULES.items() if rule.by_token} == {
        route for route in OPENED if route != "HEAD /jobs/{job_id}/result"
    }


def test_no_session_begins_with_a_token(service: Service, ring: KeyRing) -> None:
    token = bearer(issued(service, new_key(ring)))
    answer = service.http.post("/session", headers=token)
    refused(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers


def test_a_token_sends_one_video_makes_one_job_and_its_server_sees_which(
    service: Service, ring: KeyRing, clip: Path
) -> None:
    key, size = new_key(ring, per_minute=100), clip.stat().st_size
    told = issued(service, key, options={**FIXED, "crf": 30, "strict": False})
    token = bearer(told)
    first = begun(service, token, size)
    assert begun(service, token, size).headers["location"] == first.headers["location"]  # the answer was lost
    refused(begun(service, token, size + 1), 403, "upload_token_used")
    upload = first.headers["location"].rpartition("/")[2]
    refused(job_of(service, token, upload), 409, "upload_incomplete")
    headers = {**token, **BODY, "Upload-Offset": "0"}
    assert service.http.patch(f"/uploads/{upload}", content=clip.read_bytes(), headers=headers).is_success
    refused(job_of(service, token, upload, crf="1"), 403, "scope_missing")
    refused(job_of(service, token, upload, "?crf=1"), 403, "scope_missing")
    refused(job_of(service, token, "0" * 32), 403, "scope_missing")
    job = job_of(service, token, upload).json()
    assert (job["model"], job["options"]["crf"]) == (QUICK, 30)
    assert job_of(service, token, upload).json()["id"] == job["id"]
    refused(begun(service, token, size), 403, "upload_token_used")
    shown = service.http.get(f"/upload-tokens/{told['id']}", headers=key).json()
    assert (shown["upload"], shown["job"], shown["options"]["crf"]) == (upload, job["id"], "30")
    assert "token" not in shown
    until_ended(service, job["id"], token)
    assert service.http.get(f"/jobs/{job['id']}/result", headers=token).content
    assert service.http.get(f"/jobs/{job['id']}", headers=key).json()["status"] == "succeeded"


def test_a_browser_may_choose_how_but_not_whom_to_tell(service: Service, ring: KeyRing, clip: Path) -> None:
    token = bearer(issued(service, new_key(ring)))
    upload = uploaded(service, token, clip.read_bytes())
    for name, value in {
        "webhook_url": "https://example.org/",
        "output_url": "https://example.org/",
        "preview": "true",
    }.items():
        refused(job_of(service, token, upload, **{name: value}), 403, "scope_missing")
    refused(job_of(service, token, upload, "?preview=true"), 403, "scope_missing")
    assert job_of(service, token, upload, model=QUICK, crf="20").json()["options"]["crf"] == 20


def test_a_job_by_a_token_takes_neither_a_file_nor_json(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring)
    token = bearer(issued(service, key))
    answer = service.http.post("/jobs", files={"video": clip.read_bytes()}, headers=token)
    refused(answer, 403, "scope_missing")
    for wanted in ({"upload": "0" * 32}, {"input_url": "https://1.1.1.1/video.mp4"}):
        refused(service.http.post("/jobs", json=wanted, headers=token), 403, "scope_missing")
    assert service.http.get("/jobs", headers=key).json()["jobs"] == []


def test_a_token_has_the_limits_of_its_key_and_its_own(service: Service, ring: KeyRing) -> None:
    key = new_key(ring, bytes=1000, per_minute=1)
    token = issued(service, key, max_bytes=2000)
    refused(service.http.post("/upload-tokens", json={}, headers=key), 429, "rate_limited")
    assert token["max_bytes"] == 2000
    refused(begun(service, bearer(token), 2001), 413, "upload_too_large")
    refused(begun(service, bearer(token), 1001), 429, "storage_quota_exceeded")
    assert begun(service, bearer(token), 1000).status_code == 201


def count_tries(client: redis.Redis, token_id: str) -> None:
    """Many at once, as no requests on a busy machine are."""
    for _ in range(10 * TRIES_PER_MINUTE):
        Quotas(client).count_try(token_id)


def test_tries_are_limited_and_the_keys_own_submissions_go_on(
    service: Service, ring: KeyRing, client: redis.Redis, clip: Path
) -> None:
    key = new_key(ring, per_minute=2)
    told = issued(service, key)
    token = bearer(told)
    upload = uploaded(service, token, b"no video at all")
    refused(job_of(service, token, upload), 415, "not_a_video")
    with pytest.raises(RateLimited):
        count_tries(client, told["id"])
    refused(job_of(service, token, upload), 429, "rate_limited")
    submitted(service, clip, key)


def test_a_token_ends_by_itself_with_its_key_and_when_revoked(
    service: Service, ring: KeyRing, client: redis.Redis
) -> None:
    made, text = ring.create("issuer", frozenset({Scope.SUBMIT}), "ends")
    key = {"Authorization": f"Bearer {text}"}
    first, second, third = (issued(service, key, expires_in_s=life) for life in (60, 900, 900))
    name = key_names.upload_token(first["id"])
    assert 0 < client.pttl(name) <= 60_000
    assert service.http.delete(f"/upload-tokens/{second['id']}", headers=key).status_code == 204
    refused(begun(service, bearer(second), 10), 401, "unauthenticated")
    refused(service.http.get(f"/upload-tokens/{second['id']}", headers=key), 404, "upload_token_not_found")
    client.pexpire(name, 1)
    until(lambda: begun(service, bearer(first), 10).status_code == 401, "the token expires")
    assert not client.exists(name)
    wrong = {**third, "token": third["token"][:-1] + ("a" if third["token"][-1] != "a" else "b")}
    refused(begun(service, bearer(wrong), 10), 401, "unauthenticated")
    assert begun(service, bearer(third), 10).status_code == 201
    ring.revoke(made.prefix)
    refused(begun(service, bearer(third), 10), 401, "unauthenticated")


def test_a_stream_of_events_ends_with_its_token(
    service: PacedService, ring: KeyRing, long_clip: Path
) -> None:
    service.pace.hold()
    key = new_key(ring)
    told = issued(service, key, options={"model": SLOW})
    job_id = made(service, bearer(told), long_clip)
    with service.http.stream("GET", f"/jobs/{job_id}/events", headers=bearer(told)) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("id: ")
        assert service.http.delete(f"/upload-tokens/{told['id']}", headers=key).status_code == 204
        assert "succeeded" not in "".join(lines)  # ends, and not because the job did
    assert service.http.delete(f"/jobs/{job_id}", headers=key).status_code == 204
    service.pace.release()


def test_a_token_gives_no_more_than_its_key_has(service: Service, ring: KeyRing, clip: Path) -> None:
    token = bearer(issued(service, new_key(ring, Scope.SUBMIT), options=FIXED))
    job_id = made(service, token, clip)
    refused(service.http.get(f"/jobs/{job_id}", headers=token), 403, "scope_missing")
    reader = new_key(ring, Scope.READ)
    refused(service.http.post("/upload-tokens", json={}, headers=reader), 403, "scope_missing")
    operator = bearer(issued(service, new_key(ring, Scope.ADMIN), options=FIXED))
    job_id = made(service, operator, clip)
    assert service.http.get(f"/jobs/{job_id}", headers=operator).status_code == 200
    refused(service.http.get("/metrics", headers=operator), 403, "scope_missing")


def test_tokens_of_other_tenants_are_not_there(service: Service, ring: KeyRing) -> None:
    told = issued(service, new_key(ring))
    where = f"/upload-tokens/{told['id']}"
    refused(service.http.get(where, headers=new_key(ring)), 404, "upload_token_not_found")
    refused(service.http.delete(where, headers=new_key(ring)), 404, "upload_token_not_found")
    assert service.http.get(where, headers=new_key(ring, Scope.ADMIN)).json()["id"] == told["id"]


@pytest.mark.parametrize(
    "wrong",
    [{"expires_in_s": 59}, {"expires_in_s": 86401}, {"max_bytes": 0}, {"options": {"crf": 99}}],
)
def test_what_no_token_can_be_is_refused(service: Service, ring: KeyRing, wrong: dict[str, Any]) -> None:
    refused(service.http.post("/upload-tokens", json=wrong, headers=new_key(ring)), 422, "invalid_request")


def test_a_long_request_is_refused(service: Service, ring: KeyRing) -> None:
    wanted = {"options": {"webhook_url": "https://1.1.1.1/" + "h" * 20_000}}
    refused(service.http.post("/upload-tokens", json=wanted, headers=new_key(ring)), 400, "malformed_request")


def test_options_that_no_job_could_have_are_refused_at_once(service: Service, ring: KeyRing) -> None:
    for options, code in (
        ({"model": "none"}, "invalid_option"),
        ({"webhook_url": "http://127.0.0.1/"}, "webhook_refused"),
        ({"output_url": "http://nowhere.invalid/"}, "address_refused"),
    ):
        answer = service.http.post("/upload-tokens", json={"options": options}, headers=new_key(ring))
        refused(answer, 422, code)


def test_only_a_hash_is_kept_in_one_key(service: Service, ring: KeyRing, client: redis.Redis) -> None:
    told = issued(service, new_key(ring), options={"webhook_url": "https://1.1.1.1/" + "h" * 200})
    uploaded(service, bearer(told), b"something")
    names = client.keys(f"*{told['id']}*")
    assert names == [key_names.upload_token(told["id"])]
    assert told["token"].rpartition(told["id"])[2].strip("_") not in str(client.hgetall(names[0]))
    assert int(client.memory_usage(names[0]) or 0) < 1200


def test_where_nobody_needs_a_key_a_token_still_opens_its_own_way_alone(tmp_path: Path, clip: Path) -> None:
    with running_stack(tmp_path) as service:
        told = issued(service, {})
        token = bearer(told)
        made(service, token, clip)
        refused(service.http.get("/jobs", headers=token), 403, "scope_missing")
        assert service.http.get("/jobs").status_code == 200
        with connect(redis_url(service)) as client:
            key = new_key(KeyRing(client), tenant="default")  # which ends what was given before
        refused(begun(service, token, 10), 401, "unauthenticated")
        assert service.http.get(f"/upload-tokens/{told['id']}", headers=key).status_code == 200
