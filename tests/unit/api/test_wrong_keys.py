from __future__ import annotations

import pytest

from service.api.wrong_keys import WrongKeys
from service.errors.limit import RateLimited


def test_as_many_as_a_minute_allows_are_refused_plainly_and_then_slowed_down() -> None:
    keys = WrongKeys(per_minute=3)
    for _ in range(3):
        keys.count("192.0.2.1")
    with pytest.raises(RateLimited) as refusal:
        keys.count("192.0.2.1")
    assert 0 < refusal.value.retry_after_s <= 20


def test_other_addresses_are_not_to_blame() -> None:
    keys = WrongKeys(per_minute=1)
    keys.count("192.0.2.1")
    keys.count("192.0.2.2")
    keys.count("")
    with pytest.raises(RateLimited):
        keys.count("192.0.2.2")


def test_one_network_of_ipv6_is_one_client() -> None:
    keys = WrongKeys(per_minute=1)
    keys.count("2001:db8::1")
    with pytest.raises(RateLimited):
        keys.count("2001:db8::2")
