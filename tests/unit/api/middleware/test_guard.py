from __future__ import annotations

import asyncio
from http import HTTPStatus

import httpx
import pytest
from starlette.responses import PlainTextResponse

from service.api.middleware.guard import Guard


def ask(hosts: frozenset[str] | None, host: str, origin: str | None = None, method: str = "GET") -> int:
    """The status that a guarded application answers with."""

    async def send() -> int:
        transport = httpx.ASGITransport(Guard(PlainTextResponse("in"), hosts))
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
            headers = {"Host": host} | ({"Origin": origin} if origin else {})
            return (await client.request(method, "/", headers=headers)).status_code

    return asyncio.run(send())


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "gateway:8080"])
def test_names_of_this_machine_and_those_that_were_allowed_are_served(host: str) -> None:
    assert ask(frozenset({"gateway"}), host) == HTTPStatus.OK


@pytest.mark.parametrize("host", ["rebound.example.org", "gateway.example.org", ""])
def test_other_names_are_refused(host: str) -> None:
    assert ask(frozenset({"gateway"}), host) == HTTPStatus.FORBIDDEN


def test_any_name_is_served_where_none_is_asked_for() -> None:
    assert ask(None, "anything.example.org") == HTTPStatus.OK


def test_pages_from_elsewhere_change_nothing() -> None:
    assert (
        ask(None, "localhost", origin="http://elsewhere.example.org", method="POST") == HTTPStatus.FORBIDDEN
    )
    assert ask(None, "localhost", origin="http://localhost", method="POST") == HTTPStatus.OK


@pytest.mark.parametrize("host", ["[", "]", "[::1", "[nobody]", "a[b", "[v1.x"])
@pytest.mark.parametrize("hosts", [None, frozenset({"gateway"})])
def test_a_host_that_is_no_name_is_refused(hosts: frozenset[str] | None, host: str) -> None:
    assert ask(hosts, host) == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "origin", ["http://[", "http://[::1", "http://]", "//[x]", "null", "[", "http://a[@b"]
)
def test_an_origin_that_is_no_address_changes_nothing(origin: str) -> None:
    assert ask(None, "localhost", origin=origin, method="POST") == HTTPStatus.FORBIDDEN
