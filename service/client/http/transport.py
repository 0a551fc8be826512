"""Turns calls into requests of httpx, and its responses and errors into those of the client.

Both clients share this; they differ only in how they wait.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from service.client.errors import AddressUnusable, ServiceUnreachable
from service.client.http.calls import Answer, Call
from service.local.address import is_loopback

KEY_VARIABLE = "CDVD_KEY"
TIMEOUTS = httpx.Timeout(30.0, connect=5.0, write=None, pool=None)
"""A slow disk behind the gateway may hold an upload's next bytes back for any time, hence no write limit."""

_HOPELESS = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def http_settings(url: str, key: str | None) -> dict[str, Any]:
    """Returns the arguments for either kind of httpx client; without ``key``, CDVD_KEY is sent."""
    headers = {"Accept-Encoding": "identity"}  # Content-Length is then what arrives
    key = key or os.environ.get(KEY_VARIABLE)
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return {
        "base_url": url,
        "timeout": TIMEOUTS,
        "headers": headers,
        "limits": httpx.Limits(max_connections=None),  # whoever waits holds one all the time
        "follow_redirects": True,  # results may be in an object store, which httpx does not show the key to
        "trust_env": not is_loopback(httpx.URL(url).host),  # no proxy leads to this machine
    }


def build_request(
    http: httpx.Client | httpx.AsyncClient, call: Call, streamed: Iterator[bytes] | AsyncIterator[bytes]
) -> httpx.Request:
    """Builds the request of a call. ``streamed`` is the body of a call with a file, for this kind of client."""
    timeout = httpx.Timeout(TIMEOUTS)
    if call.silence_s:
        timeout.read = timeout.write = call.silence_s
    headers, query = dict(call.headers), call.query or None
    if call.json is not None:
        return http.build_request(
            call.method, call.path, params=query, headers=headers, timeout=timeout, json=call.json
        )
    if call.length or call.method in ("POST", "PATCH"):
        headers["Content-Length"] = str(call.length)
    content = streamed if call.file else call.body + call.ending
    return http.build_request(
        call.method, call.path, params=query, headers=headers, timeout=timeout, content=content
    )


def to_answer(response: httpx.Response, content: bytes = b"") -> Answer:
    """Returns a response as the client knows it; ``content`` is empty for one that is streamed."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, response.reason_phrase, str(response.url), headers, content)


@contextmanager
def transport_errors(url: httpx.URL | str) -> Iterator[None]:
    """Turns errors of httpx into ServiceUnreachable, or AddressUnusable where no later attempt can help."""
    try:
        yield
    except _HOPELESS as error:
        raise AddressUnusable(_no_answer(url, error)) from error
    except httpx.TransportError as error:
        connected = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        raise ServiceUnreachable(_no_answer(url, error), connected=connected) from error


def _no_answer(url: httpx.URL | str, error: Exception) -> str:
    reason = str(error).rstrip(".") or type(error).__name__
    return f"There is no answer from {url}: {reason}."
