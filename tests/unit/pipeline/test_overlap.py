from collections.abc import Iterator
from contextlib import closing
from threading import Barrier, Event, active_count, current_thread
from threading import enumerate as all_threads

import pytest

from service.pipeline.overlap import map_ahead, prefetch


def test_prefetch_keeps_order_and_ends() -> None:
    assert list(prefetch(range(50), 3)) == list(range(50))


def test_prefetch_raises_the_producers_error_after_its_items() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    items = prefetch(failing(), 2)
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_prefetch_runs_at_most_its_depth_ahead() -> None:
    made = 0
    third = Event()

    def counting() -> Iterator[int]:
        nonlocal made
        for number in range(100):
            made += 1
            if made == 4:
                third.set()
            yield number

    with closing(prefetch(counting(), 2)) as items:
        assert next(items) == 0
        assert third.wait(10)  # one taken, two queued, one in the producer's hands
        assert made == 4


def test_closing_prefetch_ends_its_thread_and_closes_the_producer() -> None:
    closed = Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = active_count()
    with closing(prefetch(endless(), 1)) as items:
        next(items)
    assert closed.is_set()
    assert active_count() == before


def test_map_ahead_pairs_items_with_results_in_order() -> None:
    assert list(map_ahead(lambda n: n * n, range(10), 3)) == [(n, n * n) for n in range(10)]


def test_map_ahead_runs_calls_at_the_same_time() -> None:
    together = Barrier(2, timeout=10)  # breaks unless two calls meet

    assert [out for _, out in map_ahead(lambda _: together.wait() >= 0, range(4), 2)] == [True] * 4


def test_map_ahead_raises_what_the_function_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_ahead(lambda n: 1 // n, [2, 1, 0, 3], 2))


def test_calls_use_the_threads_of_earlier_ones() -> None:
    """OpenCV, which they use, keeps memory for every thread that there ever was."""
    before, rounds = set(all_threads()), 100

    threads = {one for _ in range(rounds) for _, one in map_ahead(lambda _: current_thread(), range(4), 2)}

    assert len(threads - before) < rounds / 4
    assert all(one.is_alive() for one in threads)
