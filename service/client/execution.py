"""Runs an operation from effect to effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, cast

from service.client.effects import Effect, Operation, T


class Execution(Generic[T]):
    """An operation that is under way: ``effect`` is what to perform next, None once there is a result."""

    def __init__(self, operation: Operation[T]) -> None:
        self._operation = operation
        self.effect: Effect | None = None
        self._result: T | None = None
        self._advance(lambda: operation.send(None))

    @property
    def result(self) -> T:
        return cast(T, self._result)

    def resume(self, outcome: Any) -> None:
        """Goes on with the outcome of the effect. Raises what the operation raises."""
        self._advance(lambda: self._operation.send(outcome))

    def fail(self, error: Exception) -> None:
        """Goes on after the effect raised ``error``. Raises it again unless the operation handles it."""
        self._advance(lambda: self._operation.throw(error))

    def close(self) -> None:
        """Lets the operation clean up when it is left early."""
        self._operation.close()

    def _advance(self, step: Callable[[], Effect]) -> None:
        try:
            self.effect = step()
        except StopIteration as end:
            self.effect, self._result = None, end.value
