"""What a gateway holds while it accepts a submission goes soon after it died."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import redis

from service.errors.submission import SubmissionInFlight
from service.jobs.idempotency import LEASE_S, Submissions
from service.jobs.job import new_job_id
from service.redis_state.connection import connect
from service.redis_state.key_names import Account
from service.tenancy.api_keys import KeyRing
from tests.support.api_keys import new_key, redis_url, submit
from tests.support.clips import write_clip
from tests.support.stack import PATIENCE_S, Service, running_stack, until

pytestmark = pytest.mark.integration

SOON_S = 30


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_stack(tmp_path) as running:
        yield running


def gateway_of() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    [gateway] = [child for child in children if child.cmdline()[-2:] == ["-m", "service.api"]]
    return gateway


def test_a_key_is_free_again_soon_after_the_gateway_died_in_its_upload(
    service: Service, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    with connect(redis_url(service)) as client:
        key = new_key(KeyRing(client), jobs=1)
        held = Account(key["Authorization"].split("_")[1]).held
        with half_sent(service, key):
            until(lambda: client.hlen(held), "the reservation")
            refused = submit(service, clip, key)
            gateway_of().kill()
    until(lambda: _alive(service), "the next gateway")
    again = until(lambda: (a := submit(service, clip, key)).status_code != 429 and a, "the key is free")

    assert refused.json()["code"] == "too_many_jobs"
    assert 0 < int(refused.headers["retry-after"]) <= SOON_S
    assert again.status_code == 202


def half_sent(service: Service, key: dict[str, str]) -> socket.socket:
    """A submission whose body does not end."""
    address = urlsplit(service.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)
    head = f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: {key['Authorization']}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x"
    connection.sendall(head.encode())
    return connection


def _alive(service: Service) -> bool:
    try:
        return service.http.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_a_submission_in_flight_blocks_its_key_for_seconds_and_says_for_how_many(client: redis.Redis) -> None:
    submissions = Submissions(client)
    with submissions.alone("key"):
        with pytest.raises(SubmissionInFlight) as refusal, submissions.alone("key"):
            pass
        assert 0 < (refusal.value.retry_after_s or 0) <= LEASE_S < SOON_S
    with submissions.alone("key"):
        pass


def test_a_holder_that_renews_keeps_its_key(client: redis.Redis) -> None:
    submissions = Submissions(client)
    with submissions.alone("key") as renew:
        (name,) = client.keys("*submission-lease*")
        client.pexpire(name, 50)
        renew()
        assert client.pttl(name) > 10_000


def test_one_that_was_silent_for_too_long_makes_no_second_job(client: redis.Redis) -> None:
    submissions, late, other = Submissions(client), new_job_id(), new_job_id()
    submissions.remember("key", "print", late)
    submissions.confirm("key", late)
    submissions.remember("key", "print", other)
    with pytest.raises(SubmissionInFlight):
        submissions.confirm("key", late)
