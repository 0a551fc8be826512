"""Gives access to the private Redis of a data directory: the one that runs, or one that is started for the purpose."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors.startup import DataInUse, StackFailed
from service.local.data_version import open_data_directory, require_known_layout
from service.local.lock import DirectoryLock
from service.local.redis_server import find_redis_server, redis_command, socket_path

PATIENCE_S = 20.0
"""Seconds to wait for an answer: Redis reads its data first."""


@contextmanager
def redis_of(data: Path, is_answering: Callable[[str], bool]) -> Iterator[str]:
    """Gives the address of the Redis with the data in ``data``, whether a service runs there or not.

    Raises RequirementMissing, DataInUse, DataVersionUnsupported, StackFailed.
    """
    running = f"unix://{data / 'run' / 'redis.sock'}?db=0"
    if is_answering(running):
        require_known_layout(data)
        yield running
        return
    try:
        with DirectoryLock(data) as lock, _started(data, lock, is_answering) as url:
            yield url
    except DataInUse as error:
        raise DataInUse(f"{error} Its Redis has no address here: set CDVD_REDIS_URL.") from error


@contextmanager
def _started(data: Path, lock: DirectoryLock, is_answering: Callable[[str], bool]) -> Iterator[str]:
    open_data_directory(data)
    directory = data / "redis"
    directory.mkdir(mode=0o700, exist_ok=True)
    with socket_path(data) as socket:
        url = f"unix://{socket}?db=0"
        process = subprocess.Popen(
            redis_command(find_redis_server(), directory, socket),
            stdout=subprocess.DEVNULL,
            pass_fds=(lock.fileno(),),
        )
        try:
            _await(process, url, is_answering)
            yield url
        finally:
            process.terminate()  # writes what it has not written yet
            process.wait()


def _await(process: subprocess.Popen[bytes], url: str, is_answering: Callable[[str], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_answering(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackFailed("Redis does not start on this data directory.")
        time.sleep(0.05)
