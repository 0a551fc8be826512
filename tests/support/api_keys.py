"""What tests of keys share: a service that asks for one, and keys for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute, Mount, Route

from service.api.access import rule_of
from service.api.app import create_app
from service.config import Settings
from service.tenancy.api_keys import KeyLimits, KeyRing, Scope
from tests.support.stack import QUICK, Service, until

USUAL = frozenset({Scope.SUBMIT, Scope.READ})
TUS = {"Tus-Resumable": "1.0.0"}
NO_JOB = "0" * 32


def redis_url(service: Service) -> str:
    return f"unix://{service.data.resolve() / 'run' / 'redis.sock'}?db=0"


def new_key(ring: KeyRing, *scopes: Scope, tenant: str | None = None, **limits: int) -> dict[str, str]:
    """Headers with a key, of a tenant of its own unless one is given."""
    _, text = ring.create(
        "test", frozenset(scopes) or USUAL, tenant or f"t-{secrets.token_hex(4)}", KeyLimits(**limits)
    )
    return {"Authorization": f"Bearer {text}"}


def submit(
    service: Service, clip: Path, key: dict[str, str], model: str = QUICK, **headers: str
) -> httpx.Response:
    return service.http.post(
        "/jobs",
        files={"video": (clip.name, clip.read_bytes())},
        data={"model": model},
        headers={**key, **headers},
    )


def submitted(service: Service, clip: Path, key: dict[str, str], model: str = QUICK) -> str:
    answer = submit(service, clip, key, model)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def until_ended(service: Service, job_id: str, key: dict[str, str]) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = service.http.get(f"/jobs/{job_id}", headers=key).json()
        return None if job["status"] in ("queued", "running") else job

    return dict(until(ended, "the job ends"))


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def address(path: str, job_id: str = NO_JOB) -> str:
    """A route's template, filled in."""
    ids = {
        "job_id": job_id,
        "upload_id": NO_JOB,
        "token_id": NO_JOB[:12],
        "event_id": "1-0",
        "worker": "nobody",
    }
    return path.format(**ids, frame="0")


def all_routes(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """Of the application and of the routers in it; a kind of route that is not known here fails."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from all_routes(route.original_router.routes)
        elif isinstance(route, Mount):
            assert isinstance(route.app, StaticFiles), route
        else:
            assert isinstance(route, Route), route
            yield route


def routes() -> list[tuple[str, str]]:
    """Every method and template of the application."""
    found = all_routes(create_app(Settings()).routes)
    return [(method, route.path) for route in found for method in sorted(route.methods or ())]


def guarded() -> list[tuple[str, str]]:
    return [(method, path) for method, path in routes() if rule_of(method, path).scopes]
