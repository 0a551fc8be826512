"""Redis as it is run by others: with a password, over TLS, behind Sentinels. Jobs, messages and events all use it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from service.errors.broker import BrokerUnavailable
from service.jobs.events import FROM_THE_BEGINNING, EventReader
from service.jobs.job import new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.store import RedisJobStore
from service.local.children import Child
from service.redis_state.connection import connect, is_answering
from tests.integration.jobs.planned import SPEC
from tests.support.clips import Clip, write_clip
from tests.support.cluster import cluster, until_ready
from tests.support.object_store import free_port
from tests.support.redis_servers import PASSWORD, QUOTED, redis_server, started
from tests.support.stack import SLOW, held_engine, until

pytestmark = pytest.mark.integration

MASTER = "jobs"


def use(url: str) -> list[str]:
    """Record a job, send a message, read events: everything that talks to Redis. Returns the events' types."""

    async def events(job_id: str) -> list[str]:
        reader = EventReader(url)
        found = await reader.read(job_id, FROM_THE_BEGINNING, wait_s=1)
        await reader.close()
        return [event.type for event in found]

    with connect(url) as client, closing(JobQueue(create_celery(url), client)) as queue:
        job = RedisJobStore(client).create(new_job_id(), SPEC)
        queue.enqueue(job.id, "plan")
        assert not queue.is_empty()
        return asyncio.run(events(job.id))


def test_password_with_special_characters_opens_redis(tmp_path: Path) -> None:
    port = str(free_port())
    url = f"redis://:{QUOTED}@127.0.0.1:{port}/3"
    with redis_server(tmp_path / "redis", url, {"port": port, "requirepass": PASSWORD}):
        assert use(url) == ["status"]
        with pytest.raises(BrokerUnavailable):
            use(f"redis://:wrong@127.0.0.1:{port}/3")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate for 127.0.0.1 that is its own authority."""
    directory = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    return directory


@pytest.fixture(scope="module")
def address(authority: Path) -> Iterator[str]:
    """``127.0.0.1:port`` of a Redis that speaks nothing but TLS."""
    port = free_port()
    options = {
        "port": "0",
        "tls-port": str(port),
        "tls-auth-clients": "no",
        "tls-cert-file": f"{authority}/cert.pem",
        "tls-key-file": f"{authority}/key.pem",
        "tls-ca-cert-file": f"{authority}/cert.pem",
        "requirepass": PASSWORD,
    }
    url = f"rediss://:{QUOTED}@127.0.0.1:{port}/0?ssl_ca_certs={authority}/cert.pem"
    with started(authority / "redis", options) as child:
        until(lambda: is_answering(url) or not child.running, "Redis answers")
        if not child.running:
            pytest.skip("the redis-server found here was built without TLS")
        yield f"127.0.0.1:{port}"


def test_certificate_of_a_private_authority_is_accepted(authority: Path, address: str) -> None:
    assert use(f"rediss://:{QUOTED}@{address}/0?ssl_ca_certs={authority}/cert.pem") == ["status"]


def test_certificate_of_a_stranger_is_refused_by_the_store_and_by_the_queue(address: str) -> None:
    url = f"rediss://:{QUOTED}@{address}/1"  # another database, or Celery would use a connection of before
    with connect(url) as client, closing(JobQueue(create_celery(url), client)) as queue:
        with pytest.raises(BrokerUnavailable, match="certificate"):
            RedisJobStore(client).exists("0" * 32)
        with pytest.raises(BrokerUnavailable, match="certificate"):
            queue.enqueue("0" * 32, "plan")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[str, Child]]:
    """The address of a master with a replica and a Sentinel, and the process of the master."""
    ports = [free_port() for _ in range(3)]
    secret = {"requirepass": PASSWORD, "masterauth": PASSWORD, "appendonly": "yes", "save": '""'}
    quick = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
    watch = {
        "port": str(ports[2]),
        "sentinel monitor": f"{MASTER} 127.0.0.1 {ports[0]} 1",
        f"sentinel auth-pass {MASTER}": PASSWORD,
        f"sentinel down-after-milliseconds {MASTER}": "500",
        f"sentinel failover-timeout {MASTER}": "2000",
    }
    first = f"redis://:{QUOTED}@127.0.0.1:{ports[0]}/0"
    with ExitStack() as stack:
        master = stack.enter_context(
            redis_server(tmp_path / "one", first, {"port": str(ports[0]), **secret, **quick})
        )
        replica = {"port": str(ports[1]), "replicaof": f"127.0.0.1 {ports[0]}", **secret, **quick}
        stack.enter_context(started(tmp_path / "two", replica))
        stack.enter_context(started(tmp_path / "sentinel", watch, "--sentinel"))
        until(lambda: has_replica(first), "the replica follows")
        until(lambda: knows_replica(f"redis://127.0.0.1:{ports[2]}/0"), "the Sentinel knows the replica")
        yield f"sentinel://:{QUOTED}@127.0.0.1:9,127.0.0.1:{ports[2]}/{MASTER}/2", master


@pytest.mark.parametrize("with_worker", [False, True])
def test_job_survives_the_death_of_the_master(
    servers: tuple[str, Child], tmp_path: Path, with_worker: bool
) -> None:
    """And of the worker in the same moment, before anybody knows that there is another master."""
    url, master = servers
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=48))
    settings = {"CDVD_REDIS_URL": url, "CDVD_SEGMENT_FRAMES": "12"}
    with held_engine() as engine, cluster(tmp_path, {**settings, **engine.settings()}) as processes:
        service = processes.gateway()
        worker = processes.worker("one")
        until_ready(service, workers=1)
        job_id = service.submit(clip, model=SLOW)
        engine.pace.let(1)
        service.until_frames(job_id, 1)

        assert master.pid
        victims = [master, worker] if with_worker else [master]
        subprocess.run(["kill", "-9", *(str(victim.pid) for victim in victims)], check=True)
        if with_worker:
            processes.worker("one")
        until(lambda: service.http.get("/readyz").is_success, "the replica has taken over")
        engine.pace.release()
        job = service.until_status(job_id, "succeeded")

    assert job["output"]["frames"] == 48
    assert not master.running


def has_replica(url: str) -> bool:
    with connect(url) as client:
        found = client.info("replication")
    return found["connected_slaves"] == 1 and found["slave0"]["state"] == "online"


def knows_replica(sentinel_url: str) -> bool:
    """Whether the Sentinel there could name a successor."""
    if not is_answering(sentinel_url):
        return False
    with connect(sentinel_url) as client:
        return bool(client.sentinel_slaves(MASTER))
