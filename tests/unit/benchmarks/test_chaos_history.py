"""The program that judges a history of faults finds what must not happen, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.reliability.chaos.history import Accepted, Ended, History

ONE = Accepted("1", "clip", "key", at=100.0)
RIGHT = Ended("succeeded", None, ("plan", "segment:0"), ("sha", "sha"))
GOOD = History((ONE,), {"1": RIGHT}, {"clip": "sha"}, ())


def judged(ended: Ended) -> list[str]:
    return replace(GOOD, ended={"1": ended}).violations()


def test_job_that_ends_right_is_right() -> None:
    assert GOOD.violations() == []
    assert judged(Ended("failed", "segment_gave_up")) == []


@pytest.mark.parametrize(
    ("ended", "what"),
    [
        (replace(RIGHT, done=("plan", "segment:0", "segment:0")), "finished segment:0 more than once"),
        (replace(RIGHT, results=("sha", "other")), "not what it should be"),
        (replace(RIGHT, results=()), "not what it should be"),
        (Ended("failed", "restoration_failed"), "failed with restoration_failed"),
        (Ended("running"), "does not end"),
        (Ended("unanswered"), "does not end"),
        (Ended("unknown"), "accepted and is unknown"),
    ],
)
def test_job_that_ends_wrong_is_found(ended: Ended, what: str) -> None:
    (violation,) = judged(ended)

    assert what in violation


def test_only_the_last_moment_before_a_loss_of_power_may_be_forgotten() -> None:
    gone = replace(GOOD, ended={"1": Ended("unknown")})

    assert replace(gone, losses=(101.0,)).violations() == []
    assert len(replace(gone, losses=(99.0, 110.0)).violations()) == 1


def test_submission_makes_one_job_that_somebody_was_told_of() -> None:
    twice = (ONE, replace(ONE, job_id="2"))
    ended = {"1": RIGHT, "2": RIGHT}

    assert len(replace(GOOD, accepted=twice, ended=ended).violations()) == 1
    assert len(replace(GOOD, ended=ended).violations()) == 1
    assert replace(GOOD, ended=ended, unanswered=1).violations() == []
