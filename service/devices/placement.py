"""Where a model runs, as workers say it in logs, heartbeats and reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Where a model runs, and why there."""

    model: str
    device: str
    """Such as ``cuda:0``."""
    precision: str
    """``fp16`` or ``fp32``; empty where a server's configuration decides."""
    why: str
    """The rest of the sentence that `line` is."""

    @property
    def line(self) -> str:
        """One line for logs and people."""
        precision = f" in {self.precision}" if self.precision else ""
        return f"{self.model} runs on {self.device}{precision}: {self.why}"
