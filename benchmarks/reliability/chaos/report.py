"""What was done to services, and what came of it, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.reliability.machine import table


@dataclass
class Report:
    """What was done to one service, and what came of it."""

    service: str
    """Its kind."""
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    jobs: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    """Longest time until the service was ready again after a fault."""


def render(reports: Sequence[Report]) -> str:
    """Returns the table of faults, with a column for each kind of service, and a sentence about the jobs of each."""
    kinds = list(dict.fromkeys(report.service for report in reports))
    sums = {kind: _sum([report for report in reports if report.service == kind]) for kind in kinds}
    names = sorted({name for one in sums.values() for name in one.faults})
    rows = [(name, *(one.faults[name] or "" for one in sums.values())) for name in names]
    totals = [one.faults.total() for one in sums.values()]
    last = ("**all**", *totals)
    lines = [table(("fault", *kinds), [*rows, last]), "", f"Faults: {sum(totals)} in {len(reports)} runs."]
    return "\n".join([*lines, *(summary(one) for one in sums.values())])


def summary(report: Report) -> str:
    """Returns sentences about the jobs of a service."""
    jobs = ", ".join(f"{number} {status}" for status, number in sorted(report.jobs.items()) if number)
    return (
        f"Jobs of {report.service}: {jobs}. Ready again after a fault within {report.slowest_s:.0f} s. "
        f"Things that must not happen: {len(report.violations)}."
    )


def _sum(reports: Sequence[Report]) -> Report:
    total = Report(reports[0].service)
    for report in reports:
        total.faults += report.faults
        total.jobs += report.jobs
        total.violations += report.violations
        total.slowest_s = max(total.slowest_s, report.slowest_s)
    return total
