"""Reports what became of the videos of one ``cdvd deblur``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from service.cli.batch.plan import Item
from service.cli.exits import Exit, error_json, exit_code
from service.cli.output.jobs import print_result
from service.cli.output.lines import complain, note, say_json_line
from service.client import Job
from service.errors.base import ServiceError


@dataclass(frozen=True)
class Outcome:
    """What became of one video: its job, or why there is none."""

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


def print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Prints what became of a video; as JSON, on one line."""
    if as_json:
        say_json_line(outcome.to_json())
    if outcome.error:
        complain(f"{outcome.item.source}: {outcome.error}")
    elif not outcome.job:
        note(f"{outcome.item.source}: {outcome.item.output} is there already; --force makes it again.")
    elif not as_json:
        print_result(outcome.job, outcome.item.output)


def counts_of(statuses: Iterable[str]) -> dict[str, int]:
    """Returns how many videos were done, skipped, and failed."""
    found = Counter(statuses)
    return {status: found[status] for status in ("done", "skipped", "failed")}


def told(counts: Mapping[str, int]) -> str:
    """Returns the counts as a sentence."""
    return ", ".join(f"{count} {status}" for status, count in counts.items()) + "."


def summarize(outcomes: Sequence[Outcome], *, as_json: bool) -> Exit:
    """Prints the summary. Returns the exit code that all failures share, FAILED if they differ."""
    counts = counts_of(outcome.status for outcome in outcomes)
    if as_json:
        say_json_line(counts)
    elif len(outcomes) > 1:
        note(told(counts))
    codes = {exit_code(outcome.error) for outcome in outcomes if outcome.error}
    if not codes:
        return Exit.OK
    return codes.pop() if len(codes) == 1 else Exit.FAILED
