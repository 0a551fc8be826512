"""Watches a gateway from outside while something is done to it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

PERIOD_S = 0.05
"""From one question to the next."""
PATIENCE_S = 60.0


@dataclass
class Watch:
    """What was seen: seconds that answers took, and bytes and processes at most."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    failures: int = 0
    gateway_bytes: int = 0
    children: int = 0
    children_bytes: int = 0
    descriptors: int = 0

    def ms(self, path: str, share: float) -> float:
        """Returns the milliseconds within which a share of the questions for ``path`` was answered."""
        times = sorted(self.answers[path])
        return 1000 * times[min(len(times) - 1, int(len(times) * share))]


@contextmanager
def watched(url: str, *paths: str) -> Iterator[Watch]:
    """Asks for each path again and again, and samples the gateway's processes, until the block ends."""
    watch, over = Watch({path: [] for path in paths}), threading.Event()
    threads = [threading.Thread(target=_ask, args=(url, path, watch, over)) for path in paths]
    threads.append(threading.Thread(target=_sample, args=(_gateway(), watch, over)))
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _gateway() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    [gateway] = [child for child in children if child.cmdline()[-2:] == ["-m", "service.api"]]
    return gateway


def _ask(url: str, path: str, watch: Watch, over: threading.Event) -> None:
    address = urlsplit(url)
    while not over.is_set():
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
        begin = time.monotonic()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            watch.failures += answer.status != http.client.OK
        except (OSError, http.client.HTTPException):
            watch.failures += 1
        finally:
            connection.close()
        watch.answers[path].append(time.monotonic() - begin)
        over.wait(PERIOD_S)


def _sample(gateway: psutil.Process, watch: Watch, over: threading.Event) -> None:
    while not over.is_set():
        sizes = []
        for child in gateway.children(recursive=True):
            try:
                sizes.append(child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        watch.gateway_bytes = max(watch.gateway_bytes, gateway.memory_info().rss)
        watch.children = max(watch.children, len(sizes))
        watch.children_bytes = max(watch.children_bytes, sum(sizes))
        watch.descriptors = max(watch.descriptors, gateway.num_fds())
        over.wait(4 * PERIOD_S)
