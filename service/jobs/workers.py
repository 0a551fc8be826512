"""Records the heartbeats of workers: which are alive and what they can run."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

import redis

from service.devices.names import CPU
from service.devices.placement import Placement
from service.errors.job import WorkerNotFound
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts
from service.redis_state.scripts import workers


@dataclass(frozen=True)
class WorkerState:
    """What a worker says of itself in a heartbeat."""

    name: str
    engine: str
    """The kind of engine, such as ``onnxruntime``."""
    ready: tuple[str, ...]
    """Names of the models that are loaded."""
    models: tuple[str, ...]
    """Names of the models that could be loaded."""
    running: int
    """Number of steps in work."""
    slots: int = 1
    """Number of segments that it works on at once."""
    placements: tuple[Placement, ...] = ()
    """Where the models that are loaded run, and why."""
    fault: str = ""
    """Why it takes no work; its last words, before it ends."""
    memory: int | None = None
    """Bytes that it may take, where it restores windows on its processor and knows its limit."""
    steps: tuple[str, ...] = ()
    """The steps in work, ``<job id> <step>``."""
    frames_per_second: float = 0.0
    """Frames that it restored lately, per second."""
    draining: bool = False
    """Whether it was asked to begin no more steps, when it said this."""
    stopping: bool = False
    """Whether it was told to end, and begins no more steps."""

    def runtime(self, model: str) -> str:
        """Returns what decides how fast ``model`` is here: the engine, and its device unless that is the processor.

        A model that is not loaded yet is expected where the others run.
        """
        devices = [one.device for one in self.placements if one.model == model]
        devices += [one.device for one in self.placements]
        return (
            self.engine if not devices or devices[0] in (CPU, self.engine) else f"{self.engine}@{devices[0]}"
        )

    def is_accelerated(self, model: str) -> bool:
        """Returns whether ``model`` runs on something else than this worker's processor."""
        return self.engine == "triton" or self.runtime(model) != self.engine


class WorkerRegistry:
    """Heartbeats in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._beat = client.register_script(workers.BEAT)

    def beat(self, state: WorkerState, ttl_s: int) -> None:
        """Records that a worker is alive, for the next ``ttl_s`` seconds."""
        used = [key_names.worker(state.name), key_names.WORKERS]
        with broker_errors():
            self._beat(keys=used, args=[state.name, json.dumps(asdict(state)), ttl_s, time.time()])

    def leave(self, name: str) -> None:
        """Removes a worker that ends in good order."""
        with broker_errors():
            self._redis.delete(key_names.worker(name))
            self._forget(name)

    def alive(self) -> tuple[WorkerState, ...]:
        """Returns the workers whose heartbeat has not expired, and forgets the others."""
        with broker_errors():
            names = texts(self._redis.zrange(key_names.WORKERS, 0, -1))
            found = self._redis.mget([key_names.worker(name) for name in names]) if names else []
            gone = [name for name, text in zip(names, found, strict=True) if text is None]
            if gone:
                self._forget(*gone)
        return tuple(_parse(str(text)) for text in found if text is not None)

    def working(self) -> tuple[WorkerState, ...]:
        """Returns the live workers that begin steps: without those that drain or are about to end."""
        alive, draining = self.alive(), self.draining()
        return tuple(state for state in alive if not state.stopping and state.name not in draining)

    def last_beats(self) -> dict[str, float]:
        """Returns the unix time of each worker's last heartbeat, by name."""
        with broker_errors():
            found: Any = self._redis.zrange(key_names.WORKERS, 0, -1, withscores=True)
        return {str(name): float(when) for name, when in found}

    def drain(self, name: str) -> None:
        """Asks a worker to finish the steps in work and to begin no more, until ``undrain`` or until it ends.

        Raises WorkerNotFound.
        """
        with broker_errors():
            if self._redis.zscore(key_names.WORKERS, name) is None:
                raise WorkerNotFound(f"There is no worker {name[:64]!r} with a heartbeat.")
            self._redis.sadd(key_names.WORKERS_DRAINING, name)

    def undrain(self, name: str) -> None:
        """Lets a worker begin steps again."""
        with broker_errors():
            self._redis.srem(key_names.WORKERS_DRAINING, name)

    def is_draining(self, name: str) -> bool:
        """Returns whether a worker was asked to begin no more steps."""
        with broker_errors():
            return bool(self._redis.sismember(key_names.WORKERS_DRAINING, name))

    def draining(self) -> frozenset[str]:
        """Returns the names of the workers that were asked to begin no more steps."""
        with broker_errors():
            return frozenset(map(str, self._redis.smembers(key_names.WORKERS_DRAINING)))

    def _forget(self, *names: str) -> None:
        self._redis.zrem(key_names.WORKERS, *names)
        self._redis.srem(key_names.WORKERS_DRAINING, *names)


def _parse(text: str) -> WorkerState:
    """Reads a heartbeat; what a newer worker says beyond what is known here is left out."""
    found = json.loads(text)
    known = {one.name: found[one.name] for one in fields(WorkerState) if one.name in found}
    placements = tuple(Placement(**one) for one in found.get("placements", ()))
    texts = {name: tuple(found.get(name, ())) for name in ("ready", "models", "steps")}
    return WorkerState(**{**known, **texts, "placements": placements})
