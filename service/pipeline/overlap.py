"""Runs the stages of a pipeline beside each other, with bounded queues between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Out = TypeVar("Out")

_POLL_S = 0.1
"""Seconds after which a producer that waits for room looks whether its items are still wanted."""
_CALLS = ThreadPoolExecutor(1024, thread_name_prefix="engine")
"""The threads of all calls that run ahead, for as long as the process lasts: OpenCV keeps almost a kilobyte for every
thread that ever used it, even after its end. There are about as many as calls ran at a time; the bound is never met.
"""


class _End(Generic[Item]):
    """Ends a queue: the producer is done, or has failed with ``error``."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[Item], depth: int) -> Generator[Item]:
    """Yields ``items``, produced by a thread that runs up to ``depth`` items ahead.

    An exception in ``items`` is raised here, after the items before it. Closing the generator ends the thread.
    """
    queue: Queue[Item | _End[Item]] = Queue(depth)
    unwanted = Event()
    # The thread has the caller's context, so that its log lines and spans belong to the caller.
    produce = partial(copy_context().run, _produce, items, queue, unwanted)
    thread = Thread(target=produce, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        unwanted.set()
        thread.join()


def _produce(items: Iterable[Item], queue: Queue[Item | _End[Item]], unwanted: Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _offer(item, queue, unwanted):
                return
        _offer(_End(None), queue, unwanted)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the consumer
        _offer(_End(error), queue, unwanted)
    finally:
        if isinstance(iterator, Generator):
            iterator.close()  # in this thread, which is the one that ran it


def _offer(item: Item | _End[Item], queue: Queue[Item | _End[Item]], unwanted: Event) -> bool:
    while not unwanted.is_set():
        try:
            queue.put(item, timeout=_POLL_S)
        except Full:
            continue
        return True
    return False


def map_ahead(
    function: Callable[[Item], Out], items: Iterable[Item], depth: int
) -> Generator[tuple[Item, Out]]:
    """Yields each item with ``function(item)``, in order, while up to ``depth`` calls run at a time.

    Closing the generator early waits for the calls that have begun and drops the others.
    """
    running: deque[tuple[Item, Future[Out]]] = deque()
    try:
        for item in items:
            running.append((item, _CALLS.submit(copy_context().run, function, item)))
            if len(running) == depth:
                yield _oldest(running)
        while running:
            yield _oldest(running)
    finally:
        wait([future for _, future in running if not future.cancel()])


def _oldest(running: deque[tuple[Item, Future[Out]]]) -> tuple[Item, Out]:
    item, future = running.popleft()
    return item, future.result()
