"""Guards browsers: adds headers to every answer and refuses requests from pages of others.

Without keys, whoever reaches the port may do everything, and a browser on this machine reaches it for any
page that it shows. So a page from elsewhere must not be able to send a form here (Origin), nor to reach us under a
name of its own that it points at this machine (Host).
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.answers.problems import problem
from service.errors.upload import MalformedRequest
from service.local.address import is_loopback

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:{media}; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware that refuses foreign names and origins."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str] | None,
        media: str | None = None,
        origins: frozenset[str] = frozenset(),
    ) -> None:
        """``hosts``: takes requests only under these names and those of this machine; None is any.
        ``media``: the address that downloads are redirected to, which the page must be allowed to play from.
        ``origins``: of pages of others that may use the service.
        """
        self._app = app
        allowed = f" {urlsplit(media).scheme}://{urlsplit(media).netloc}" if media else ""
        self._headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(media=allowed)}
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "access-control-allow-origin" in headers:
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(Headers(scope=scope), scope["method"]) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, method: str) -> JSONResponse | None:
        host = headers.get("host", "")
        address = _split(f"//{host}")
        if address is None:
            return problem(
                HTTPStatus.BAD_REQUEST,
                MalformedRequest.code,
                f"The header Host holds no name: {host[:100]!r}.",
            )
        if not self._is_ours(address.hostname or ""):
            return _forbidden(
                f"This service answers only to names that it knows as its own, not to {host[:100]!r}."
            )
        origin = headers.get("origin")
        if method not in _SAFE_METHODS and origin is not None and not self._may_change(origin, host):
            return _forbidden(f"Pages of {origin[:100]!r} may not change anything here.")
        return None

    def _may_change(self, origin: str, host: str) -> bool:
        return origin in self._origins or _is_same(origin, host)

    def _is_ours(self, name: str) -> bool:
        return self._hosts is None or name in self._hosts or is_loopback(name)


def _is_same(origin: str, host: str) -> bool:
    address = _split(origin)
    return address is not None and address.netloc == host


def _split(url: str) -> SplitResult | None:
    """Returns the parts of a URL, None where it has none: such as brackets without an address between."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _forbidden(detail: str) -> JSONResponse:
    return problem(HTTPStatus.FORBIDDEN, "forbidden", detail)
