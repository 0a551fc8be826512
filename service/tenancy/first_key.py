"""Keys of the service that keeps its data in a directory of this machine, whether it runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.local.redis_run import redis_of
from service.redis_state.connection import connect, is_answering
from service.tenancy.api_keys import KeyRing, Scope

FIRST_NAME = "first"


@contextmanager
def key_ring_of(data: Path) -> Iterator[KeyRing]:
    """Opens the keys of a data directory. Raises what ``redis_of`` does."""
    with redis_of(data.resolve(), is_answering) as url, connect(url) as client:
        yield KeyRing(client)


def has_keys(data: Path) -> bool:
    """Returns whether a key was ever made; a directory that no service has used has none."""
    if not (data / "redis").is_dir():
        return False
    with key_ring_of(data) as ring:
        return ring.any()


def make_first_key(data: Path) -> str | None:
    """Makes a key that submits and reads, and returns it; None where a key was made before, which is shown once."""
    if has_keys(data):
        return None
    with key_ring_of(data) as ring:
        _, text = ring.create(FIRST_NAME, frozenset({Scope.SUBMIT, Scope.READ}))
    return text
