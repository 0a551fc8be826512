"""The lock that many hold together, or one alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.inference.devices.sharing import SharedLock

PATIENCE_S = 60.0


def test_many_share_it_at_a_time() -> None:
    lock, both = SharedLock(), threading.Barrier(2)

    def share() -> None:
        with lock.shared():
            both.wait(PATIENCE_S)  # passes only when both are here

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(share) for _ in range(2)]:
            done.result()


def test_one_is_alone_after_those_before_it_and_before_those_after_it() -> None:
    lock, order = SharedLock(), []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with lock.shared():
            entered.set()
            leave.wait(PATIENCE_S)
            order.append("first")

    def alone() -> None:
        with lock.alone():
            order.append("alone")

    def newcomer() -> None:
        with lock.shared():
            order.append("newcomer")

    with ThreadPoolExecutor(3) as pool:
        begun = [pool.submit(first)]
        assert entered.wait(PATIENCE_S)
        begun.append(pool.submit(alone))
        while not lock._wanting:
            time.sleep(0.001)
        begun.append(pool.submit(newcomer))
        leave.set()
        for done in begun:
            done.result()
    assert order == ["first", "alone", "newcomer"]


def test_who_fails_lets_others_in() -> None:
    lock = SharedLock()
    for way in (lock.shared, lock.alone):
        with pytest.raises(RuntimeError), way():
            raise RuntimeError("as engines do")
    with lock.alone():
        assert lock._sharing == 0
