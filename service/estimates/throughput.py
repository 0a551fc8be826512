"""How fast jobs are restored, learned from every window: pixels per second by model and engine, and bytes per pixel."""

from __future__ import annotations

import redis

from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.scripts import throughput

MEMORY_S = 120.0
"""Seconds of work after which a measurement weighs a third: a changed machine or load is soon believed."""


class ThroughputBook:
    """Exponentially weighted averages in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._learn = client.register_script(throughput.AVERAGE)

    def restored(self, model: str, engine: str, pixels: int, seconds: float) -> None:
        """A segment's next ``pixels`` took ``seconds``; long windows weigh more than short ones."""
        if seconds > 0:
            weight = seconds / (seconds + MEMORY_S)
            self._note(key_names.THROUGHPUT, f"{model}|{engine}", pixels / seconds, weight)

    def stored(self, codec: str, crf: int, pixels: int, size: int) -> None:
        """A result of ``pixels`` in all its frames has ``size`` bytes; the last five or so results count."""
        self._note(key_names.RESULT_SIZES, f"{codec}|{crf}", size / pixels, 0.2)

    def rates(self, model: str) -> dict[str, float]:
        """Pixels per second of one segment at a time, by engine; empty before anything was measured."""
        with broker_errors():
            found = self._redis.hgetall(key_names.THROUGHPUT)
        pairs = ((str(name).rpartition("|"), float(value)) for name, value in found.items())
        return {engine: value for (owner, _, engine), value in pairs if owner == model}

    def bytes_per_pixel(self, codec: str, crf: int) -> float | None:
        with broker_errors():
            found = self._redis.hget(key_names.RESULT_SIZES, f"{codec}|{crf}")
        return None if found is None else float(found)

    def _note(self, key: str, field: str, value: float, weight: float) -> None:
        with broker_errors():
            self._learn(keys=[key], args=[field, f"{value:.9g}", f"{weight:.9g}"])
