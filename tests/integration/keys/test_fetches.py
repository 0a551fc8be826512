"""Videos that are fetched for keys: what their quotas say, and that nobody waits for the slow servers of others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.config import Settings
from service.tenancy.api_keys import KeyRing
from tests.support.api_keys import new_key, submitted, until_ended
from tests.support.origin import Manner, Origin, origin
from tests.support.stack import QUICK, Service, until

pytestmark = pytest.mark.integration


@pytest.fixture
def server(clip: Path) -> Iterator[Origin]:
    with origin() as running:
        running.files["/clip.mp4"] = clip.read_bytes()
        yield running


def ordered(service: Service, url: str, key: dict[str, str]) -> str:
    answer = service.http.post("/jobs", json={"input_url": url, "model": QUICK}, headers=key)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("length", [None, -1], ids=["of a known size", "of an unknown size"])
def test_a_fetch_for_a_key_without_room_fails_and_succeeds_once_there_is_some(
    service: Service, ring: KeyRing, server: Origin, clip: Path, length: int | None
) -> None:
    size = clip.stat().st_size
    key = new_key(ring, bytes=size + 2000)
    server.manners["/clip.mp4"] = [Manner(length=length)] * 2
    first = submitted(service, clip, key)
    assert until_ended(service, first, key)["status"] == "succeeded"
    job_id = ordered(service, f"{server.url}/clip.mp4", key)
    failed = until_ended(service, job_id, key)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "storage_quota_exceeded")
    assert not (service.data / "jobs" / job_id).exists()

    assert service.http.delete(f"/jobs/{first}", headers=key).status_code == 204
    assert service.http.post(f"/jobs/{job_id}/retry", headers=key).status_code == 202
    job = until_ended(service, job_id, key)
    assert (job["status"], job["input"]["bytes"]) == ("succeeded", size)


def test_many_slow_servers_of_one_tenant_hold_up_nobody_else(
    service: Service, ring: KeyRing, server: Origin
) -> None:
    most, release = Settings().transfers, threading.Event()
    slow, other = new_key(ring), new_key(ring)
    server.files["/slow.mp4"] = server.files["/clip.mp4"]
    server.manners["/slow.mp4"] = [Manner(only=1000, release=release)] * 100
    try:
        held = [ordered(service, f"{server.url}/slow.mp4", slow) for _ in range(4 * most + 1)]
        until(lambda: len(server.of("GET", "/slow.mp4")) >= most, "as many fetches as a tenant may have")
        quick = ordered(service, f"{server.url}/clip.mp4", other)
        assert until_ended(service, quick, other)["status"] == "succeeded"
    finally:
        release.set()
    assert {until_ended(service, one, slow)["status"] for one in held} == {"succeeded"}
