from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from service.api.connections.gate import (
    TURNED_AWAY_AT_ONCE,
    Admission,
    Gate,
    GateLimits,
    networks,
)


class Someone:
    """A connection that only remembers whether it was dropped."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.address = address
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def gate(total: int = 3, per_address: int = 100, exempt: tuple[str, ...] = ()) -> Gate:
    return Gate(GateLimits(total, per_address, networks(exempt)))


def asking(gate: Gate, address: str = "192.0.2.1") -> Someone:
    someone = Someone(address)
    assert gate.enter(someone) is Admission.SERVED
    gate.asked(someone)
    return someone


def test_first_address_with_too_many_is_told_to_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    one = gate(total=9, per_address=2)
    for _ in range(2):
        asking(one)
    assert caplog.messages == []

    assert [one.enter(Someone()) for _ in range(2)] == [Admission.TOO_MANY] * 2

    (message,) = caplog.messages
    assert "192.0.2.1" in message
    assert "2 connections" in message
    assert "CDVD_PROXIES" in message


def test_whoever_has_not_asked_yet_makes_room_oldest_first() -> None:
    one = gate(total=3)
    asker, silent, later = asking(one), Someone(), Someone()
    one.enter(silent)
    one.enter(later)

    assert one.enter(Someone()) is Admission.SERVED
    assert (asker.dropped, silent.dropped, later.dropped) == (False, True, False)


def test_requests_keep_their_places_until_they_leave() -> None:
    one = gate(total=2)
    first, second = asking(one), asking(one)

    assert one.enter(Someone()) is Admission.FULL
    one.leave(first)
    assert one.enter(Someone()) is Admission.SERVED
    assert not second.dropped


def test_an_answered_connection_makes_room_again() -> None:
    one = gate(total=1)
    idle = asking(one)
    one.idles(idle)

    assert one.enter(Someone()) is Admission.SERVED
    assert idle.dropped


def test_one_address_has_only_its_part() -> None:
    one = gate(total=10, per_address=2)
    asking(one), asking(one)

    assert one.enter(Someone()) is Admission.TOO_MANY
    assert one.enter(Someone("192.0.2.2")) is Admission.SERVED


def test_an_address_gets_its_own_silent_connections_dropped_and_nobody_elses() -> None:
    one = gate(total=10, per_address=1)
    other, own = Someone("192.0.2.2"), Someone("192.0.2.1")
    one.enter(other)
    one.enter(own)

    assert one.enter(Someone("192.0.2.1")) is Admission.SERVED
    assert (own.dropped, other.dropped) == (True, False)


@pytest.mark.parametrize(
    ("one", "another"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", "192.0.2.1")]
)
def test_addresses_of_one_customer_count_together(one: str, another: str) -> None:
    here = gate(total=10, per_address=1)
    asking(here, one)

    assert here.enter(Someone(another)) is Admission.TOO_MANY


@pytest.mark.parametrize("address", ["127.0.0.9", "10.1.2.3", "::1", "", "fe80::1%eth0"])
def test_a_proxy_stands_for_many(address: str) -> None:
    one = gate(total=10, per_address=1, exempt=("127.0.0.0/8", "10.0.0.0/8", "::1", "fe80::/10"))
    asking(one, address), asking(one, address)


def test_no_more_are_turned_away_at_once_than_there_is_room_for() -> None:
    one = gate(total=1)
    asking(one)
    crowd = [Someone() for _ in range(TURNED_AWAY_AT_ONCE + 1)]

    assert {one.enter(someone) for someone in crowd} == {Admission.FULL}
    assert [someone.dropped for someone in crowd] == [True] + [False] * TURNED_AWAY_AT_ONCE


def test_addresses_that_left_are_forgotten() -> None:
    one = gate(total=10)
    for number in range(5):
        someone = asking(one, f"192.0.2.{number}")
        one.leave(someone)
        one.leave(someone)

    assert not one._counts


@pytest.mark.parametrize(("descriptors", "expected"), [(1024, 256), (20_000, 4096), (316, 20), (64, 16)])
def test_connections_fit_into_the_files_that_may_be_open(descriptors: int, expected: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < descriptors:
        pytest.fail(f"the tests need {descriptors} open files")
    script = (
        "import resource; from service.api.connections.gate import room_for_connections\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({min(descriptors, 64)}, {descriptors}))\n"
        "print(room_for_connections(4096))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert int(answer.stdout) == expected
