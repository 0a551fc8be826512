"""A service whose Redis has a replica and three Sentinels: masters die, stop and are replaced while jobs run.

As ``docs/scaling.md`` advises, a master without a replica takes no writes, so that one that was replaced unawares loses
next to nothing.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from benchmarks.reliability.chaos.processes import Processes, free_port
from service.local.redis_server import find_redis_server

MASTER = "jobs"
LONGEST_STOP_S = 12.0
"""Longer than Sentinels wait before they choose another master."""
SERVERS, SENTINELS = ("one", "two"), ("first", "second", "third")
PARTS = {"gateway": "service.api", "worker": "service.worker", "second worker": "service.worker"}


class SentinelStack(Processes):
    """A gateway, two workers, two Redis servers and three Sentinels, always at the same addresses."""

    def __init__(self, data: Path, models: Path, model: str) -> None:
        super().__init__(data.parent)
        self.data = data
        self._port = free_port()
        self._ports = {name: free_port() for name in (*SERVERS, *SENTINELS)}
        watched = ",".join(f"127.0.0.1:{self._ports[name]}" for name in SENTINELS)
        self._settings = {
            "CDVD_REDIS_URL": f"sentinel://{watched}/{MASTER}/0",
            "CDVD_DATA": str(data),
            "CDVD_PORT": str(self._port),
            "CDVD_MODELS": str(models),
            "CDVD_MODEL": model,
            "CDVD_CLAIM_TTL_S": "10",
            "CDVD_ENGINE": "onnx",
        }
        for name in SERVERS:
            self._configure(name, self._server(name))
        for name in SENTINELS:
            self._configure(name, self._sentinel())

    @property
    def urls(self) -> tuple[str, ...]:
        """Where its gateway is reached."""
        return (f"http://127.0.0.1:{self._port}",)

    def start(self) -> None:
        """Starts what does not run and returns when jobs are worked on. Raises TimeoutError."""
        for name in (*SERVERS, *SENTINELS):
            flags = ["--sentinel"] if name in SENTINELS else []
            self.keep(name, [str(find_redis_server()), str(self._file(name)), *flags], {})
        for name, module in PARTS.items():
            self.keep(name, [sys.executable, "-m", module], {**self._settings, "CDVD_WORKER_NAME": name})
        self.await_ready(self.urls[0])

    def master(self) -> str:
        """Returns the name of the server that a Sentinel holds for the master; the first one while none answers."""
        for name in SENTINELS:
            with suppress(redis.RedisError), redis.Redis(port=self._ports[name], socket_timeout=2) as client:
                found = client.sentinel_get_master_addr_by_name(MASTER)
                return next(server for server in SERVERS if found and self._ports[server] == int(found[1]))
        return SERVERS[0]

    def replace_master(self) -> None:
        """Asks a Sentinel for another master."""
        with (
            suppress(redis.RedisError),
            redis.Redis(port=self._ports[SENTINELS[0]], socket_timeout=5) as client,
        ):
            client.execute_command("SENTINEL", "FAILOVER", MASTER)

    def _server(self, name: str) -> list[str]:
        lines = ["appendonly yes", 'save ""', "maxmemory-policy noeviction", "repl-diskless-sync-delay 0"]
        lines += ["min-replicas-to-write 1", "min-replicas-max-lag 2", f"port {self._ports[name]}"]
        return lines if name == SERVERS[0] else [*lines, f"replicaof 127.0.0.1 {self._ports[SERVERS[0]]}"]

    def _sentinel(self) -> list[str]:
        settings = {"down-after-milliseconds": 1500, "failover-timeout": 4000}
        first = f"sentinel monitor {MASTER} 127.0.0.1 {self._ports[SERVERS[0]]} 2"
        return [first, *(f"sentinel {name} {MASTER} {value}" for name, value in settings.items())]

    def _configure(self, name: str, lines: list[str]) -> None:
        directory = self._file(name).parent
        directory.mkdir()
        own = [f"dir {directory}", "bind 127.0.0.1", "protected-mode no"]
        own += [f"port {self._ports[name]}"] if name in SENTINELS else []
        self._file(name).write_text("\n".join([*own, *lines, ""]))

    def _file(self, name: str) -> Path:
        return self.data.with_name(f"redis-{name}") / "redis.conf"


Fault = Callable[[SentinelStack, random.Random], None]


def _kill(part: str) -> Fault:
    def fault(stack: SentinelStack, _chance: random.Random) -> None:
        stack.send(part, signal.SIGKILL)

    return fault


def _kill_master(stack: SentinelStack, chance: random.Random) -> None:
    stack.send(stack.master(), signal.SIGKILL)
    time.sleep(chance.uniform(0, 8))


def _kill_replica(stack: SentinelStack, chance: random.Random) -> None:
    stack.send(next(name for name in SERVERS if name != stack.master()), signal.SIGKILL)
    time.sleep(chance.uniform(0, 8))


def _stop_master(stack: SentinelStack, chance: random.Random) -> None:
    stopped = stack.master()
    stack.send(stopped, signal.SIGSTOP)
    time.sleep(chance.uniform(0.5, LONGEST_STOP_S))
    stack.send(stopped, signal.SIGCONT)


def _replace_master(stack: SentinelStack, chance: random.Random) -> None:
    stack.replace_master()
    time.sleep(chance.uniform(0, 4))


LOSES_A_MOMENT = frozenset({"master killed", "master stopped for a while", "master replaced"})
"""Replication is asynchronous: what a master accepted in its last moment may be lost with it."""
FAULTS: dict[str, Fault] = {
    "master killed": _kill_master,
    "master stopped for a while": _stop_master,
    "master replaced": _replace_master,
    "replica killed": _kill_replica,
    "a Sentinel killed": _kill(SENTINELS[1]),
    **{f"{part} killed": _kill(part) for part in PARTS},
}
