"""Whose windows come to the processor first."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import numpy as np
import pytest

from service.errors.job import JobCanceled
from service.inference.engine import Frames, Stopped, never
from service.worker.right_of_way import GivingWay, RightOfWay
from tests.support.stack import until

LONG, SHORT = "long", "short"
PATIENCE_S = 60.0


class HeldEngine:
    """Keeps each window until the test lets it go, and notes the order in which they came and how many were there."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.most = 0
        self._there = 0
        self._lock = Lock()
        self._let = [Event() for _ in range(4)]

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:  # noqa: ARG002
        number = int(window.flat[0])
        with self._lock:
            self.came.append(number)
            self._there += 1
            self.most = max(self.most, self._there)
        assert self._let[number].wait(PATIENCE_S)
        with self._lock:
            self._there -= 1
        return window

    def let(self, number: int) -> None:
        self._let[number].set()

    def close(self) -> None:
        pass


def window(number: int) -> Frames:
    return np.full((5, 64, 64, 3), number, np.uint8)


def test_windows_for_the_processor_wait_where_they_can_be_passed() -> None:
    engine, way = HeldEngine(), RightOfWay()
    long, short = (GivingWay(engine, way, job, lambda: None, in_turn=True) for job in (LONG, SHORT))
    with ThreadPoolExecutor(4) as pool:
        pool.submit(long.restore, window(0))
        until(lambda: engine.came == [0], "the first window")
        second = pool.submit(long.restore, window(1))
        with way.over(LONG):
            passing = pool.submit(short.restore, window(2))
            engine.let(0)
            until(lambda: engine.came[1:], "the next window")
            engine.let(2)
            passing.result(PATIENCE_S)
        engine.let(1)
        second.result(PATIENCE_S)

    assert (engine.came, engine.most) == ([0, 2, 1], 1)


def test_servers_get_several_windows_at_a_time() -> None:
    engine = HeldEngine()
    giving_way = GivingWay(engine, RightOfWay(), LONG, lambda: None)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(giving_way.restore, window(number)) for number in (0, 1)]
        until(lambda: engine.most == 2, "two windows at a time")
        for number, one in enumerate(both):
            engine.let(number)
            one.result(PATIENCE_S)


def test_window_that_nobody_wants_does_not_wait_for_the_processor() -> None:
    engine, unwanted = HeldEngine(), Event()
    giving_way = GivingWay(engine, RightOfWay(), LONG, lambda: None, in_turn=True)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(giving_way.restore, window(0))
        until(lambda: engine.came, "the first window")
        second = pool.submit(giving_way.restore, window(1), unwanted.is_set)
        unwanted.set()
        with pytest.raises(JobCanceled):
            second.result(PATIENCE_S)
        engine.let(0)
        first.result(PATIENCE_S)
    assert engine.came == [0]


def test_a_job_that_gave_way_is_forgotten() -> None:
    way, job = RightOfWay(), f"{LONG} {SHORT}"
    with way.over(job):
        inside = sys.getrefcount(job)

    assert sys.getrefcount(job) < inside
