"""Jobs that a worker restores at once do not add up beyond its memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from service.errors.job import JobCanceled
from service.worker.memory.gate import MemoryGate


def never() -> bool:
    return False


def nothing() -> None:
    pass


def test_what_fits_beside_the_others_is_lent_at_once() -> None:
    gate = MemoryGate(10)

    with gate.lent(6, nothing, never), gate.lent(4, nothing, never):
        pass


def test_what_does_not_fit_waits_for_the_others() -> None:
    gate, waits, order = MemoryGate(10), Event(), []

    def second() -> None:
        with gate.lent(5, waits.set, never):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with gate.lent(6, nothing, never):
            running = pool.submit(second)
            assert waits.wait(60)
            order.append("first")
        running.result(60)
    assert order == ["first", "second"]


def test_one_that_is_alone_is_not_held_up_by_its_size() -> None:
    with MemoryGate(10).lent(11, nothing, never):
        pass


def test_who_waits_can_be_canceled() -> None:
    gate = MemoryGate(10)

    with gate.lent(6, nothing, never), pytest.raises(JobCanceled), gate.lent(5, nothing, lambda: True):
        pass


def test_without_a_limit_nobody_waits() -> None:
    gate = MemoryGate(None)

    with gate.lent(1 << 60, nothing, never), gate.lent(1 << 60, nothing, never):
        pass
