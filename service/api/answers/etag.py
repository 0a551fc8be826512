"""Tags answers with an ETag, so that a client that knows the body gets 304 without one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request, Response


def tagged(
    request: Request, body: bytes, media_type: str, cache: str, more: Mapping[str, str] | None = None
) -> Response:
    """Returns ``body``, or 304 where the request names its tag.

    ``cache`` is the Cache-Control header; ``more`` are other headers, which a 304 has as well. Large bodies take a
    while to hash: call it in a thread for these.
    """
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": cache, "ETag": tag, **(more or {})}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
