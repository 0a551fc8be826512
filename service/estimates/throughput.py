"""Learns how fast jobs are restored, and how large results are, from every window and every result."""

from __future__ import annotations

import redis

from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.scripts import throughput
from service.types import EncodeOptions

MEMORY_S = 120.0
"""Seconds of work after which an older measurement weighs about a third: a changed machine or load is soon believed."""

RESULT_WEIGHT = 0.2
"""Weight of the newest result: about the last five decide."""


class Throughput:
    """Exponentially weighted averages in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._average = client.register_script(throughput.AVERAGE)

    def learn_rate(self, model: str, runtime: str, pixels: int, seconds: float) -> None:
        """Learns that a segment's next ``pixels`` pixels took ``seconds``; long windows weigh more than short ones."""
        if seconds > 0:
            weight = seconds / (seconds + MEMORY_S)
            self._learn(key_names.THROUGHPUT, f"{model}|{runtime}", pixels / seconds, weight)

    def learn_size(self, options: EncodeOptions, pixels: int, size: int) -> None:
        """Learns that a result with ``pixels`` pixels in all its frames together has ``size`` bytes."""
        self._learn(key_names.RESULT_SIZES, options.density, size / pixels, RESULT_WEIGHT)

    def rates(self, model: str) -> dict[str, float]:
        """Returns pixels per second of one segment at a time, by `WorkerState.runtime`; empty before the first job."""
        with broker_errors():
            found = self._redis.hgetall(key_names.THROUGHPUT)
        pairs = ((str(name).rpartition("|"), float(value)) for name, value in found.items())
        return {runtime: value for (owner, _, runtime), value in pairs if owner == model}

    def bytes_per_pixel(self, options: EncodeOptions) -> float | None:
        """Returns the bytes of a result per pixel of its frames; None before anything was measured."""
        with broker_errors():
            found = self._redis.hget(key_names.RESULT_SIZES, options.density)
        return None if found is None else float(found)

    def _learn(self, key: str, field: str, value: float, weight: float) -> None:
        with broker_errors():
            self._average(keys=[key], args=[field, f"{value:.9g}", f"{weight:.9g}"])
