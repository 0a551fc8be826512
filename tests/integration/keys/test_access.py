"""Who gets in, and what they may do there."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.api.access import COOKIE, RULES, rule_of
from service.api.app import create_app
from service.api.dependencies import admitted_caller
from service.config import Settings
from service.tenancy.api_keys import KeyRing, Scope
from tests.support.api_keys import (
    USUAL,
    address,
    all_routes,
    guarded,
    new_key,
    refused,
    routes,
    submit,
    submitted,
    until_ended,
)
from tests.support.stack import SLOW, PacedService, Service

pytestmark = pytest.mark.integration


def test_every_route_has_a_rule() -> None:
    named = {f"{method} {path}" for method, path in routes()}
    gets = {rule.replace("GET ", "HEAD ", 1) for rule in RULES if rule.startswith("GET ")}
    assert named - RULES.keys() - gets == set()
    assert RULES.keys() - named == set()


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize(("method", "path"), guarded())
def test_without_a_key_a_route_is_closed(service: Service, method: str, path: str) -> None:
    answer = service.http.request(method, address(path))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert method == "HEAD" or answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_its_routes_and_no_others(service: Service, ring: KeyRing, scope: Scope) -> None:
    key = new_key(ring, scope)
    for method, path in guarded():
        answer = service.http.request(method, address(path), headers=key)
        open_to_it = scope in rule_of(method, path).scopes or scope is Scope.ADMIN
        assert (answer.status_code != 403) == open_to_it, (method, path, answer.status_code)
        assert answer.status_code != 401
        if method != "HEAD" and not open_to_it:
            refused(answer, 403, "scope_missing")


@pytest.mark.usefixtures("ring")
def test_what_tells_nothing_of_jobs_is_open(service: Service) -> None:
    paths = ("/", "/livez", "/readyz", "/version", "/docs", "/openapi.json", "/static/main.js", "/session")
    assert {path: service.http.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


@pytest.mark.usefixtures("ring")
def test_a_refused_body_is_not_asked_for(service: Service) -> None:
    """A client that waits for consent before it sends is told at once."""
    head = "POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    url = httpx.URL(service.url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 401")


def test_only_a_hash_is_in_redis(ring: KeyRing, client: redis.Redis) -> None:
    _, text = ring.create("hidden", USUAL)
    secret = text.rpartition("_")[2] if text.count("_") == 2 else text.split("_", 2)[2]
    raw = redis.Redis(connection_pool=client.connection_pool)
    dumped = [everything(raw, name) for name in raw.scan_iter("*", count=1000)]
    assert len(dumped) > 2
    assert not any(secret in content for content in dumped)


def everything(client: redis.Redis, name: Any) -> str:
    kind = client.type(name)
    read: dict[Any, Any] = {
        "string": client.get,
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "list": lambda key: client.lrange(key, 0, -1),
        "stream": client.xrange,
    }
    return f"{name} {read[kind](name)}"


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize(
    "header",
    ["Bearer cdvd_000000000000_" + "a" * 43, "Bearer nonsense", "Bearer", "Basic Zm9vOmJhcg==", "Bearer é"],
)
def test_what_is_no_key_is_refused(service: Service, header: str) -> None:
    headers = [(b"Authorization", header.encode())]
    refused(service.http.get("/jobs", headers=headers), 401, "unauthenticated")


def test_a_wrong_secret_is_refused(service: Service, ring: KeyRing) -> None:
    key = new_key(ring)["Authorization"]
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    refused(service.http.get("/jobs", headers={"Authorization": wrong}), 401, "unauthenticated")


def test_revoked_and_expired_keys_are_refused_at_once(service: Service, ring: KeyRing) -> None:
    key, text = ring.create("short", USUAL)
    headers = {"Authorization": f"Bearer {text}"}
    cookie = session(service, headers)
    assert service.http.get("/jobs", headers=headers).status_code == 200
    assert service.http.get("/jobs", headers=cookie).status_code == 200
    ring.revoke(key.prefix)
    refused(service.http.get("/jobs", headers=headers), 401, "unauthenticated")
    refused(service.http.get("/jobs", headers=cookie), 401, "unauthenticated")
    _, text = ring.create("over", USUAL, expires_at=1.0)
    refused(service.http.get("/jobs", headers={"Authorization": f"Bearer {text}"}), 401, "unauthenticated")


def test_an_event_stream_ends_with_its_key(service: PacedService, ring: KeyRing, long_clip: Path) -> None:
    service.pace.hold()
    key, text = ring.create("listener", USUAL)
    headers = {"Authorization": f"Bearer {text}"}
    job_id = submitted(service, long_clip, headers, SLOW)
    with service.http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("id: ")
        ring.revoke(key.prefix)
        told = "".join(lines)  # ends
    assert "succeeded" not in told
    operator = new_key(ring, Scope.ADMIN)
    assert service.http.get(f"/jobs/{job_id}", headers=operator).json()["status"] in ("queued", "running")
    assert service.http.delete(f"/jobs/{job_id}", headers=operator).status_code == 204
    service.pace.release()


def session(service: Service, key: dict[str, str]) -> dict[str, str]:
    """Headers with the cookie of a new session."""
    answer = httpx.post(f"{service.url}/session", headers=key, trust_env=False)
    assert answer.status_code == 200, answer.text
    return {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}"}


def test_a_session_serves_the_page_and_nobody_else(service: Service, ring: KeyRing, clip: Path) -> None:
    key = new_key(ring)
    answer = httpx.post(f"{service.url}/session", headers=key, trust_env=False)
    told = answer.headers["set-cookie"].lower()
    assert all(word in told for word in ("httponly", "samesite=strict", "path=/")), told
    assert answer.json()["signed_in"]
    cookie = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}"}
    assert service.http.get("/session", headers=cookie).json()["scopes"] == ["read", "submit"]
    job_id = submit(service, clip, {**cookie, "Origin": service.url}).json()["id"]
    until_ended(service, job_id, cookie)
    assert service.http.get(f"/jobs/{job_id}/result", headers=cookie).status_code == 200
    refused(service.http.delete(f"/jobs/{job_id}", headers=cookie), 403, "origin_missing")
    foreign = {**cookie, "Origin": "http://127.0.0.1:1"}
    refused(service.http.delete(f"/jobs/{job_id}", headers=foreign), 403, "forbidden")
    assert service.http.delete("/session", headers=cookie).status_code == 204
    refused(service.http.get("/jobs", headers=cookie), 401, "unauthenticated")
    assert not service.http.get("/session").json()["signed_in"]


def _checked(part: Dependant) -> bool:
    """Whether a part of the gateway is given to a caller who was let in, and to nobody else."""
    return part.call is admitted_caller or any(map(_checked, part.dependencies))


def test_routes_take_their_parts_from_the_one_door() -> None:
    """A route that handles data cannot get at it but through the check of who asks."""
    own = [route for route in all_routes(create_app(Settings()).routes) if isinstance(route, APIRoute)]
    unchecked = {route.path for route in own if not all(map(_checked, route.dependant.dependencies))}
    unchecked |= {route.path for route in own if not route.dependant.dependencies}
    assert unchecked == {"/", "/admin", "/docs", "/livez", "/version"}
