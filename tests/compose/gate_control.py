"""What the test says to the gate between workers and Triton."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from tests.compose.engine import Stack, until

ASK = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9000/').read().decode())"
LET = "import urllib.request as r; r.urlopen('http://127.0.0.1:9000/{frames}', data=b'')"


@dataclass(frozen=True)
class GateControl:
    """Holds the job at a point that the test chooses, however fast or slow the engine is."""

    stack: Stack

    def let(self, frames: float) -> None:
        """Lets windows pass until so many frames have passed from now on, then holds."""
        self._inside(LET.format(frames=frames))

    def hold(self) -> None:
        """Lets nothing pass."""
        self.let(0)

    def release(self) -> None:
        """Lets everything pass."""
        self.let(math.inf)

    def until_waiting(self, windows: int) -> None:
        """Waits until exactly so many windows are at the gate: nothing moves then."""
        until(lambda: self._state()["waiting"] == windows, f"{windows} windows at the gate")

    def is_holding(self) -> bool:
        """Whether windows wait and none may pass."""
        state = self._state()
        return bool(state["waiting"] and state["left"] <= 0)

    def _state(self) -> dict[str, Any]:
        return dict(json.loads(self._inside(ASK)))

    def _inside(self, code: str) -> str:
        return self.stack.inside(str(self.stack.containers("gate")[0]["Id"]), code)
