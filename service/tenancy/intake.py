"""Whether the service takes new work: operators close its intake before they stop or move it."""

from __future__ import annotations

import redis

from service.errors.limit import IntakeClosed
from service.redis_state import key_names
from service.redis_state.connection import broker_errors


class Intake:
    """A switch in Redis, for all gateways. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def close(self) -> None:
        """Takes no new work until ``open``; what was accepted goes on."""
        with broker_errors():
            self._redis.set(key_names.INTAKE_CLOSED, 1)

    def open(self) -> None:
        """Takes new work again."""
        with broker_errors():
            self._redis.delete(key_names.INTAKE_CLOSED)

    @property
    def is_closed(self) -> bool:
        with broker_errors():
            return bool(self._redis.exists(key_names.INTAKE_CLOSED))

    def require_open(self) -> None:
        """Raises IntakeClosed while no new work is taken."""
        if self.is_closed:
            raise IntakeClosed("The service takes no new work for now; running jobs go on. Try again later.")
