"""What became of the videos of one ``cdvd deblur``, and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from service.cli.batch import Item
from service.cli.console import complain, note, say_json, wrote
from service.cli.exits import Exit, error_json, exit_code
from service.client import Job
from service.errors.base import ServiceError


@dataclass(frozen=True)
class Outcome:
    """Of one video: its job, or why there is none."""

    item: Item
    job: Job | None = None
    error: ServiceError | OSError | None = None

    @property
    def status(self) -> str:
        return "failed" if self.error else "done" if self.job else "skipped"

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.item.source),
            "output": str(self.item.output),
            "status": self.status,
            "job": asdict(self.job) if self.job else None,
            "error": error_json(self.error) if self.error else None,
        }


def tell(outcome: Outcome, *, as_json: bool) -> None:
    """One line, as soon as it is known."""
    if outcome.error:
        complain(f"{outcome.item.source}: {outcome.error}")
    elif not outcome.job:
        note(f"{outcome.item.source}: {outcome.item.output} is there already; --force makes it again")
    elif not as_json:
        wrote(outcome.job, outcome.item.output)


def summarize(outcomes: Sequence[Outcome], *, as_json: bool) -> Exit:
    """The last word. The code is what all failures agree on, else FAILED."""
    counts = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("done", "skipped", "failed")
    }
    if as_json:
        say_json({**counts, "videos": [outcome.to_json() for outcome in outcomes]})
    elif len(outcomes) > 1:
        note(", ".join(f"{count} {status}" for status, count in counts.items()))
    codes = {exit_code(outcome.error) for outcome in outcomes if outcome.error}
    if not codes:
        return Exit.OK
    return codes.pop() if len(codes) == 1 else Exit.FAILED
