"""Where a download goes, and where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from service.errors.outbound import AddressRefused, FetchFailed, FetchRefused
from service.errors.upload import UploadTooLarge
from service.outbound.address import Reach
from service.outbound.connection import Dialer
from service.outbound.download import MOST_REDIRECTS, Downloader
from tests.support.origin import Manner, Origin, origin


class Kept:
    """A sink that keeps what comes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def begin(self, total: int | None) -> None:
        self.data.clear()
        self.total = total

    def write(self, data: bytes) -> None:
        self.data += data

    def pause(self, seconds: float) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Origin]:
    with origin() as running:
        running.files["/clip"] = b"frames" * 1000
        yield running


def download(url: str, reach: Reach, max_bytes: int = 100_000) -> bytes:
    sink = Kept()
    Downloader(Dialer(10, reach), max_bytes, 60).download(url, sink)
    return bytes(sink.data)


@pytest.mark.parametrize(
    "place",
    ["http://10.0.0.1/clip", "http://169.254.169.254/latest", "http://[::1]/", "ftp://127.0.0.1/clip"],
)
def test_a_redirect_leads_nowhere_that_the_first_address_could_not(server: Origin, place: str) -> None:
    """The server of the test stands for a public one."""
    server.manners["/clip"] = [Manner(status=302, headers={"Location": place})]
    reach = Reach(ports=frozenset({80, int(server.url.rpartition(":")[2])}))
    with (
        patch("service.outbound.address.is_public", lambda address: address == "127.0.0.1"),
        pytest.raises(AddressRefused),
    ):
        download(f"{server.url}/clip", reach)
    assert len(server.asked) == 1


def test_redirects_that_never_end_are_refused(server: Origin) -> None:
    server.manners["/clip"] = [Manner(status=302, headers={"Location": "/clip"})] * 10
    with pytest.raises(FetchRefused, match="more than 5 times"):
        download(f"{server.url}/clip", Reach(private=True))
    assert len(server.asked) == MOST_REDIRECTS + 1


def test_only_hosts_that_are_listed_are_called(server: Origin) -> None:
    named = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1"):
        download(f"{server.url}/clip", Reach(private=True, hosts=frozenset({"localhost"})))
    assert not server.asked
    assert download(f"{named}/clip", Reach(private=True, hosts=frozenset({"localhost"}))) == b"frames" * 1000


def test_what_is_too_large_is_read_no_further(server: Origin) -> None:
    server.manners["/clip"] = [Manner(length=-1)]
    with pytest.raises(UploadTooLarge, match="5999 bytes"):
        download(f"{server.url}/clip", Reach(private=True), max_bytes=5999)
    assert download(f"{server.url}/clip", Reach(private=True), max_bytes=6000) == b"frames" * 1000


def test_a_file_of_unknown_size_that_is_cut_off_is_not_taken_for_whole(server: Origin) -> None:
    """The clock is at the end of the time as soon as the download has begun."""
    server.manners["/clip"] = [Manner(length=-1)]
    ticks = iter([0.0, *[100.0] * 9])
    with pytest.raises(FetchFailed, match="too long"):
        Downloader(Dialer(10, Reach(private=True)), 100_000, 60, lambda: next(ticks)).download(
            f"{server.url}/clip", Kept()
        )


@pytest.mark.parametrize(
    ("listed", "host", "allowed"),
    [
        (".example.org", "media.example.org", True),
        (".example.org", "example.org", False),
        (".example.org", "badexample.org", False),
        ("example.org", "example.org", True),
    ],
)
def test_a_name_with_a_dot_stands_for_all_below_it(listed: str, host: str, allowed: bool) -> None:
    assert Reach(hosts=frozenset({listed})).allows_host(host) is allowed
