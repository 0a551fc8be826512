"""Which server gets a window, with links that need no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from service.errors.base import ServiceError
from service.errors.engine import EngineError, EngineUnavailable, ModelNotFound
from service.errors.job import JobCanceled
from service.inference import triton_pool
from service.inference.engine import Frames, Stopped, never
from service.inference.triton_pool import Pool
from tests.support.stack import until

PATIENCE_S = 20.0


class Servers:
    """Some addresses, and what is wrong with the server at each."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = set(addresses)
        self.faults: dict[str, ServiceError] = {}
        self.closed: list[str] = []
        self.proofs: list[str] = []

    def connect(self, address: str) -> FakeLink:
        return FakeLink(address, self)


class FakeLink:
    model = "fake"

    def __init__(self, address: str, servers: Servers) -> None:
        self.address = address
        self._servers = servers

    def prove(self) -> None:
        self._servers.proofs.append(self.address)
        if fault := self._servers.faults.get(self.address):
            raise fault

    def infer(self, window: Frames, stopped: Stopped = never) -> Frames:
        assert not stopped()
        return window

    def close(self) -> None:
        self._servers.closed.append(self.address)


@pytest.fixture
def pools() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pool_of(servers: Servers, pools: ExitStack) -> Pool:
    pool = Pool(lambda: set(servers.addresses), servers.connect)
    pools.callback(pool.close)
    until(
        lambda: set(pool.admitted()) == servers.addresses - servers.faults.keys(),
        "all sound servers are admitted",
    )
    return pool


def use_and_fail(pool: Pool) -> str:
    """Borrow a server and find it away; returns its address."""
    with pytest.raises(EngineUnavailable), pool.borrowed(PATIENCE_S) as link:
        raise EngineUnavailable("away")
    return link.address


def test_windows_go_to_the_server_with_the_fewest(pools: ExitStack) -> None:
    pool = pool_of(Servers("a", "b", "c"), pools)

    with (
        pool.borrowed(PATIENCE_S) as one,
        pool.borrowed(PATIENCE_S) as two,
        pool.borrowed(PATIENCE_S) as three,
    ):
        assert {one.address, two.address, three.address} == {"a", "b", "c"}
        with pool.borrowed(PATIENCE_S):
            pass
    with pool.borrowed(PATIENCE_S) as held, pool.borrowed(PATIENCE_S) as other:
        assert held.address != other.address


def test_servers_without_windows_take_turns(pools: ExitStack) -> None:
    pool = pool_of(Servers("a", "b", "c"), pools)
    used = []
    for _ in range(6):
        with pool.borrowed(PATIENCE_S) as link:
            used.append(link.address)

    assert set(used[:3]) == {"a", "b", "c"}
    assert used[3:] == used[:3]


def test_a_server_that_failed_gets_no_window_until_it_has_proved_itself(pools: ExitStack) -> None:
    servers = Servers("a", "b")
    pool = pool_of(servers, pools)

    servers.faults = {name: EngineUnavailable("away") for name in "ab"}
    sick = use_and_fail(pool)
    servers.faults.pop("a" if sick == "b" else "b")
    for _ in range(3):
        with pool.borrowed(PATIENCE_S) as link:
            assert link.address != sick
    assert pool.admitted() == tuple({"a", "b"} - {sick})

    servers.faults = {}
    until(lambda: pool.admitted() == ("a", "b"), "it is admitted again")


def test_a_window_waits_for_the_only_server_to_come_back(pools: ExitStack) -> None:
    pool = pool_of(Servers("a"), pools)
    use_and_fail(pool)

    with pool.borrowed(PATIENCE_S) as link:
        assert link.address == "a"


def test_a_window_does_not_wait_longer_than_its_patience(pools: ExitStack) -> None:
    servers = Servers("a")
    pool = pool_of(servers, pools)
    servers.faults = {"a": EngineUnavailable("gone for good")}
    use_and_fail(pool)

    with (
        pytest.raises(EngineUnavailable, match="No Triton server takes windows"),
        pool.borrowed(0.3),
    ):
        pass


def test_a_window_that_nobody_wants_stops_waiting(pools: ExitStack) -> None:
    servers = Servers("a")
    pool = pool_of(servers, pools)
    servers.faults = {"a": EngineUnavailable("away")}
    use_and_fail(pool)

    with pytest.raises(JobCanceled), pool.borrowed(PATIENCE_S, lambda: True):
        pass


def test_a_sick_server_is_tried_less_and_less_often(
    pools: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    servers = Servers("a", "b")
    servers.faults = {"b": EngineUnavailable("away")}
    pool = pool_of(servers, pools)
    monkeypatch.setattr(triton_pool.time, "monotonic", lambda: now)
    member = pool._members["b"]
    pauses = []
    for _ in range(6):
        pool._eject(member, EngineUnavailable("away"))
        pauses.append(member.try_at - now)

    assert pauses == sorted(pauses)
    assert pauses[-1] == triton_pool.LONGEST_PAUSE_S


def test_servers_come_and_go_with_their_name(pools: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_pool, "RESOLVE_S", 0.05)
    servers = Servers("a")
    pool = pool_of(servers, pools)

    with pool.borrowed(PATIENCE_S) as held:
        servers.addresses = {"b"}
        until(lambda: pool.admitted() == ("b",), "the new one is admitted, the old one is gone")
        assert held.address == "a"
        assert servers.closed == []
    assert servers.closed == ["a"]


def test_servers_that_are_known_outlive_their_name_service(
    pools: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_pool, "RESOLVE_S", 0.05)
    servers, asked = Servers("a"), []

    def resolve() -> set[str]:
        asked.append(None)
        if len(asked) > 1:
            raise OSError("no answer")
        return servers.addresses

    pool = Pool(resolve, servers.connect)
    pools.callback(pool.close)
    until(lambda: len(asked) > 2, "asked again")

    assert pool.admitted() == ("a",)


@pytest.mark.parametrize("kind", [ModelNotFound, EngineError, EngineUnavailable])
def test_servers_that_agree_on_what_is_wrong_are_believed(kind: type[ServiceError]) -> None:
    servers = Servers("a", "b")
    servers.faults = {name: kind(f"{name} says so") for name in "ab"}

    with pytest.raises(kind, match="a says so; b says so") as caught:
        Pool(lambda: servers.addresses, servers.connect)

    assert type(caught.value) is kind
    assert sorted(servers.closed) == ["a", "b"]


def test_servers_that_disagree_may_recover() -> None:
    servers = Servers("a", "b")
    servers.faults = {"a": ModelNotFound("not here"), "b": EngineUnavailable("away")}

    with pytest.raises(EngineUnavailable, match="away; not here"):
        Pool(lambda: servers.addresses, servers.connect)


def test_a_name_that_means_nothing_is_tried_again_later() -> None:
    def resolve() -> set[str]:
        raise OSError("Name or service not known")

    with pytest.raises(EngineUnavailable, match="Name or service not known"):
        Pool(resolve, Servers().connect)


def test_a_closed_pool_lends_nothing(pools: ExitStack) -> None:
    servers = Servers("a")
    pool = pool_of(servers, pools)
    pool.close()

    with pytest.raises(EngineUnavailable, match="closed"), pool.borrowed(PATIENCE_S):
        pass
    assert servers.closed == ["a"]
