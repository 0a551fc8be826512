"""A Triton server as a pool sees it: the link to it, and whether it takes windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from service.errors.base import ServiceError
from service.inference.engine import Frames, Stopped, never
from service.metrics import TRITON_ADMITTED


class Link(Protocol):
    """Sends windows to one server."""

    @property
    def address(self) -> str: ...

    @property
    def model(self) -> str: ...

    def prove(self) -> None:
        """Restores a small window. Raises EngineError or ModelNotFound."""
        ...

    def infer(self, window: Frames, stopped: Stopped = never) -> Frames:
        """Restores a window, as ``DeblurEngine.restore`` does."""
        ...

    def close(self) -> None:
        """Gives up running calls and disconnects."""
        ...


@dataclass
class Member:
    """A server and its state."""

    link: Link
    admitted: bool = False
    proving: bool = False
    wanted: bool = True
    """Whether the addresses still resolve to this server."""
    in_flight: int = 0
    last_turn: int = 0
    failures: int = 0
    try_at: float = 0.0
    reason: ServiceError | None = None

    def admit(self, *, admitted: bool) -> None:
        """Sets whether the server takes windows, also in the metrics."""
        self.admitted = admitted
        TRITON_ADMITTED.labels(self.link.address, self.link.model).set(admitted)
