"""Fixtures of the tests of keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing, Scope
from tests.support.api_keys import redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import PacedService, Service, paced_stack


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    settings = {"CDVD_WRONG_KEYS_PER_MINUTE": "1000", "CDVD_TRANSFER_ALLOW_PRIVATE": "true"}
    with paced_stack(tmp_path_factory.mktemp("keys"), settings) as running:
        yield running


@pytest.fixture(scope="package")
def client(service: Service) -> Iterator[redis.Redis]:
    with connect(redis_url(service)) as found:
        yield found


@pytest.fixture(scope="package")
def ring(client: redis.Redis) -> KeyRing:
    """With a key, so that the service asks for one in every test."""
    ring = KeyRing(client)
    ring.create("the first", frozenset({Scope.ADMIN}))
    return ring


@pytest.fixture(scope="package")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "a.mp4", Clip(frames=4))


@pytest.fixture(scope="package")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "long.mp4", Clip(frames=12))
