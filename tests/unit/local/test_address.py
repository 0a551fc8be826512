from __future__ import annotations

import pytest

from service.errors.startup import InsecureAddress, StackFailed
from service.local.address import is_loopback, listen, require_safe_address, url_of


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_this_machine_is_safe(host: str) -> None:
    assert is_loopback(host)
    require_safe_address(host, allow_unauthenticated=False, have_keys=lambda: False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.example.org", ""])
def test_every_other_address_needs_consent(host: str) -> None:
    with pytest.raises(InsecureAddress, match="CDVD_ALLOW_UNAUTHENTICATED"):
        require_safe_address(host, allow_unauthenticated=False, have_keys=lambda: False)
    require_safe_address(host, allow_unauthenticated=True, have_keys=lambda: False)


def test_other_addresses_are_served_once_there_are_keys() -> None:
    require_safe_address("0.0.0.0", allow_unauthenticated=False, have_keys=lambda: True)


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = int(url_of(listener).rpartition(":")[2])
        with pytest.raises(StackFailed, match=f"port {port} already; --port"):
            listen("127.0.0.1", port)
