"""What comes before a new job, and what a worker has in its hands."""

from __future__ import annotations

import pytest

from service.estimates.turns_before import Claimant, Shares, Waiting, pixels_before

NOBODY = Shares({}, {})


def job(work: float, tenant: str = "a", preview: bool = False, model: str = "lite", **more: bool) -> Waiting:
    return Waiting(Claimant(tenant, preview), model, work, work, 64, since=0.0, **more)


NEW = 300.0


@pytest.mark.parametrize(
    ("others", "shares", "expected"),
    [
        ([], NOBODY, {}),
        ([job(100), job(400)], NOBODY, {"lite": 100}),
        ([job(400, aged=True)], NOBODY, {"lite": 400}),
        ([job(100, model="base")], NOBODY, {"base": 100}),
        ([job(400, preview=True)], NOBODY, {"lite": 400}),
        ([job(100, "b")] * 5, NOBODY, {"lite": 300}),
        ([job(100, "b")] * 5, Shares({}, {"b": 2.0}), {"lite": 500}),
        ([job(100, "b")] * 5, Shares({"b": 150.0}, {}), {"lite": 100}),
        ([job(100, "b")] * 5, Shares({"a": 150.0}, {}), {"lite": 400}),
        ([job(5000, "b", preview=True)], Shares({"b": 1e9}, {}), {"lite": 5000}),
    ],
)
def test_jobs_whose_turn_is_first_are_waited_for(
    others: list[Waiting], shares: Shares, expected: dict[str, float]
) -> None:
    assert pixels_before(job(NEW), others, shares, slots=1, gives_way=1.5) == expected


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (job(NEW), {"lite": 64}),
        (job(64 * 1.5), {}),
        (job(NEW, preview=True), {}),
    ],
)
def test_segment_in_work_is_waited_for_unless_it_gives_way(new: Waiting, expected: dict[str, float]) -> None:
    others = [job(1000, running=True), job(1000, running=True)]
    assert pixels_before(new, others, NOBODY, slots=1, gives_way=1.5) == expected
