"""Redis servers for tests beyond the embedded one: on TCP, with a password, over TLS, with a replica and a Sentinel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service.local.children import Child, ChildSpec
from service.local.redis_server import find_redis_server
from service.redis_state.connection import is_answering
from tests.support.stack import until

PASSWORD = "p@ss:word/1"
"""With everything in it that an address must quote."""
QUOTED = "p%40ss%3Aword%2F1"


@contextmanager
def redis_server(directory: Path, url: str, options: Mapping[str, str]) -> Iterator[Child]:
    """A server with these options that answers at ``url``."""
    with started(directory, options) as child:
        until(lambda: is_answering(url), "Redis answers")
        yield child


@contextmanager
def started(directory: Path, options: Mapping[str, str], *flags: str) -> Iterator[Child]:
    """A server that runs, though it may not answer yet; Sentinels rewrite their own configuration file."""
    directory.mkdir(exist_ok=True)
    configuration = directory / "redis.conf"
    lines = {"dir": str(directory), **options}
    configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    command = [str(find_redis_server()), str(configuration), *flags]
    child = Child(ChildSpec("redis", command, directory / "redis.log"))
    child.start()
    try:
        yield child
    finally:
        child.stop()
