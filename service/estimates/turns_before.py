"""Tells which jobs come before a new one, by the rules of ``service.redis_state.scripts.turns``.

What it says holds while nothing else is submitted and no tenant's past fades. What a worker has in its hands counts as
a whole segment, so that it says rather too much than too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.tenancy.api_keys import DEFAULT_TENANT


@dataclass(frozen=True)
class Claimant:
    """For whom a job is, as far as it decides about turns."""

    tenant: str = DEFAULT_TENANT
    preview: bool = False


@dataclass(frozen=True)
class Waiting:
    """A job with work left. Work is that of ``service.jobs.turns.work_of``, pixels are those still to be restored."""

    claimant: Claimant
    model: str
    pixels: float
    work: float
    segment: float
    """The part of its work that is one segment."""
    since: float
    """When it was made, in unix seconds."""
    running: bool = False
    aged: bool = False
    """Whether it has waited so long that it lets no shorter one of its tenant pass any more."""

    @property
    def place(self) -> tuple[bool, bool, float, float]:
        """Sorts the jobs of a tenant."""
        urgent = self.claimant.preview or self.aged
        return (not self.claimant.preview, not self.aged, self.since if urgent else self.work, self.since)


@dataclass(frozen=True)
class Shares:
    """What tenants had lately, and their weights; the others have had nothing, and weigh 1."""

    used: Mapping[str, float]
    weights: Mapping[str, float]

    def turn(self, tenant: str, work: float) -> float:
        """Returns what decides between tenants: the least is next."""
        return (self.used.get(tenant, 0.0) + work) / self.weights.get(tenant, 1.0)


def pixels_before(
    new: Waiting, others: Iterable[Waiting], shares: Shares, slots: int, gives_way: float
) -> dict[str, float]:
    """Returns the pixels that are restored before ``new`` begins, by model.

    ``slots``: segments that are in work at a time. One gives way to a job of at most ``gives_way`` times its work.
    """
    ahead, behind = _parted(new, list(others), shares)
    held = [one for one in behind if one.running and one.pixels and not _passes(new, one, gives_way)]
    found: dict[str, float] = {}
    for one in ahead:
        found[one.model] = found.get(one.model, 0.0) + one.pixels
    for one in sorted(held, key=lambda one: one.segment)[-slots:] if slots else ():
        part = min(1.0, one.segment / one.work) if one.work else 0.0
        found[one.model] = found.get(one.model, 0.0) + one.pixels * part
    return found


def _passes(new: Waiting, other: Waiting, gives_way: float) -> bool:
    if new.claimant.preview:
        return not other.claimant.preview
    return not other.claimant.preview and new.work <= gives_way * other.segment


def _parted(new: Waiting, others: Sequence[Waiting], shares: Shares) -> tuple[list[Waiting], list[Waiting]]:
    """Returns the jobs that come before ``new``, and those after it."""
    own = [one for one in others if one.claimant.tenant == new.claimant.tenant]
    ahead = [one for one in own if one.place < new.place]
    until = shares.turn(new.claimant.tenant, sum(one.work for one in ahead) + new.work)
    for tenant in {one.claimant.tenant for one in others} - {new.claimant.tenant}:
        before = 0.0
        for one in sorted(
            (one for one in others if one.claimant.tenant == tenant), key=lambda one: one.place
        ):
            before += one.work
            if _goes_first(one, new, shares.turn(tenant, before) <= until):
                ahead.append(one)
    first = {id(one) for one in ahead}
    return ahead, [one for one in others if id(one) not in first]


def _goes_first(one: Waiting, new: Waiting, by_turn: bool) -> bool:
    if one.claimant.preview != new.claimant.preview:
        return one.claimant.preview
    return by_turn
