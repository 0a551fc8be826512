"""What the test did and saw, printed as it happens and again as a table."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Journal:
    """Rows of seconds, deed, observation."""

    began: float = field(default_factory=time.monotonic)
    rows: list[tuple[float, str, str]] = field(default_factory=list)

    def add(self, deed: str, seen: str) -> None:
        row = (time.monotonic() - self.began, deed, seen)
        self.rows.append(row)
        print(_line(row), flush=True)

    def table(self) -> str:
        """All rows as Markdown."""
        return "\n".join(["| s | done | seen |", "|---:|---|---|", *map(_line, self.rows)])


def _line(row: tuple[float, str, str]) -> str:
    return f"| {row[0]:.0f} | {row[1]} | {row[2]} |"
