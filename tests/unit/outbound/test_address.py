from __future__ import annotations

import pytest

from service.errors.outbound import AddressRefused
from service.outbound.address import Reach, is_public, permitted_addresses, read_target


def test_a_url_is_taken_apart():
    target = read_target("https://hooks.example.com/deblur?job=1#part")
    assert (target.secure, target.host, target.port, target.path) == (
        True,
        "hooks.example.com",
        443,
        "/deblur?job=1",
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "https://",
        "//example.com/",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://example.com/a b",
        "http://example.com/\r\nX-Injected: 1",
        "http://exämple.com/",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(AddressRefused):
        read_target(url)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
)
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:808:808::",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "192.88.99.1",
        "192.0.0.9",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.175.48.1",
        "198.51.100.1",
        "203.0.113.1",
        "233.252.0.1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "2620:4f:8000::1",
        "4000::1",
        "64:ff9b:1::1",
        "::808:808",
        "::ffff:0:808:808",
        "::ffff:8.8.8.8",
    ],
)
def test_addresses_inside_a_network_are_not(address):
    assert not is_public(address)


def test_a_name_with_one_private_address_is_refused():
    target = read_target("http://mixed.example.com/")
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        permitted_addresses(target, Reach(), lambda _host, _port: ("93.184.215.14", "10.0.0.1"))
    assert permitted_addresses(target, Reach(private=True), lambda _host, _port: ("10.0.0.1",)) == (
        "10.0.0.1",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_spellings_of_loopback_are_seen_through(host):
    with pytest.raises(AddressRefused):
        permitted_addresses(read_target(f"http://{host}/"), Reach())


@pytest.mark.parametrize("port", [1, 22, 25, 6379, 8001, 8080, 65535])
def test_only_the_ports_of_the_web_are_reached(port):
    target = read_target(f"http://example.com:{port}/")
    with pytest.raises(AddressRefused, match="80, 443"):
        permitted_addresses(target, Reach(), lambda _host, _port: ("93.184.215.14",))
    reach = Reach(ports=frozenset({port}))
    assert permitted_addresses(target, reach, lambda _host, _port: ("93.184.215.14",))


def test_a_list_of_ports_holds_for_private_networks_too():
    target = read_target("http://example.com:25/")
    with pytest.raises(AddressRefused):
        permitted_addresses(target, Reach(True, frozenset({80})), lambda _host, _port: ("10.0.0.1",))
    assert permitted_addresses(target, Reach(True), lambda _host, _port: ("10.0.0.1",))
