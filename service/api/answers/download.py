"""Hands a stored file to a client: from disk, by redirect to the object store, or passed on from there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import httpx
from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from service.errors.storage import StorageUnavailable
from service.storage.store import DownloadHeaders
from service.types import RemoteFile

CACHE = "private, no-cache"
"""A client may keep a file but asks whether it is still there: jobs can be deleted."""
_ASKED = ("range", "if-range", "if-none-match", "if-modified-since")
_COPIED = ("content-length", "content-range", "accept-ranges", "etag", "last-modified")
_CHUNK_BYTES = 256 << 10


def attachment(filename: str, media_type: str) -> DownloadHeaders:
    """Returns headers for saving under ``filename``, which may hold any printable characters (RFC 6266)."""
    quoted = quote(filename, safe="")
    name = f'filename="{filename}"' if quoted == filename else f"filename*=utf-8''{quoted}"
    return DownloadHeaders(media_type, f"attachment; {name}")


async def answer_with(
    file: Path | RemoteFile, what: DownloadHeaders, request: Request, objects: httpx.AsyncClient
) -> Response:
    """Returns the file, or the ranges of it that were asked for. Raises StorageUnavailable.

    A redirect spares the gateway every byte, and the client repeats its Range header at the store. It needs a
    store that clients reach; where they do not, the gateway passes the bytes on without keeping them.
    """
    headers = {"Cache-Control": CACHE, "Content-Disposition": what.disposition}
    if isinstance(file, Path):
        stat = await run_sync(file.stat)
        return FileResponse(file, media_type=what.media_type, headers=headers, stat_result=stat)
    if request.method == "HEAD":
        known = {**headers, "Content-Length": str(file.bytes), "Accept-Ranges": "bytes"}
        return Response(headers=known, media_type=what.media_type)
    if file.public:
        return RedirectResponse(
            file.url, HTTPStatus.TEMPORARY_REDIRECT, headers={"Cache-Control": "no-store"}
        )
    passed = await _requested(file, request, objects)
    copied = {name: passed.headers[name] for name in _COPIED if name in passed.headers}
    return StreamingResponse(_bytes(passed), passed.status_code, {**headers, **copied}, what.media_type)


async def _requested(file: RemoteFile, request: Request, objects: httpx.AsyncClient) -> httpx.Response:
    """Asks the object store for what the client asks for. Raises StorageUnavailable."""
    asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
    try:
        answer = await objects.send(objects.build_request("GET", file.url, headers=asked), stream=True)
    except httpx.TransportError as error:
        raise StorageUnavailable(f"The object store does not answer: {error}.") from error
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status_code == HTTPStatus.FORBIDDEN:
        await answer.aclose()
        raise StorageUnavailable(f"The object store answered {answer.status_code}.")
    return answer


async def _bytes(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw(_CHUNK_BYTES):
            yield chunk
    finally:
        await answer.aclose()
