"""Steps that are requests, as httpx sends them: shared by the clients, which differ only in how they wait."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from service.client.errors import AddressUnusable, ServiceUnreachable
from service.client.steps import Answer, Call
from service.local.address import is_loopback

KEY_VARIABLE = "CDVD_KEY"
TIMEOUTS = httpx.Timeout(30.0, connect=5.0, write=None, pool=None)
"""A slow disk behind the gateway may hold an upload's next bytes back for any time, hence no write limit."""

_HOPELESS = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def settings(url: str, key: str | None) -> dict[str, Any]:
    """What both kinds of httpx client are made with; ``key`` is CDVD_KEY unless it is given."""
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


def build(
    http: httpx.Client | httpx.AsyncClient, step: Call, streamed: Iterator[bytes] | AsyncIterator[bytes]
) -> httpx.Request:
    """``streamed`` is the body of a step with a file, in the form that this kind of client sends."""
    timeout = httpx.Timeout(TIMEOUTS)
    if step.silence_s:
        timeout.read = timeout.write = step.silence_s
    headers, query = dict(step.headers), step.query or None
    if step.json is not None:
        return http.build_request(
            step.method, step.path, params=query, headers=headers, timeout=timeout, json=step.json
        )
    if step.length or step.method in ("POST", "PATCH"):
        headers["Content-Length"] = str(step.length)
    content = streamed if step.file else step.body + step.ending
    return http.build_request(
        step.method, step.path, params=query, headers=headers, timeout=timeout, content=content
    )


def answer_of(response: httpx.Response, content: bytes = b"") -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, response.reason_phrase, str(response.url), headers, content)


@contextmanager
def transport_errors(url: httpx.URL | str) -> Iterator[None]:
    """Raises ServiceUnreachable, or AddressUnusable, for what goes wrong on the way."""
    try:
        yield
    except _HOPELESS as error:
        raise AddressUnusable(_no_answer(url, error)) from error
    except httpx.TransportError as error:
        connected = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        raise ServiceUnreachable(_no_answer(url, error), connected=connected) from error


def _no_answer(url: httpx.URL | str, error: Exception) -> str:
    return f"no answer from {url}: {error or type(error).__name__}"
