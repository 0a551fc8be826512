"""``/uploads``: resumable uploads by tus 1.0. A complete one becomes a job by ``POST /jobs`` with ``upload=<id>``."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from service.api import tus
from service.api.body import RequestBody
from service.api.dependencies import Gateway, Parts
from service.api.schemas import ProblemBody
from service.api.upload import WRITE_BYTES
from service.errors import ChecksumMismatch, MalformedRequest, ServiceError, WrongContentType
from service.metrics import UPLOAD_BYTES
from service.storage.spool import Appender, Partial

router = APIRouter(prefix="/uploads", tags=["uploads"])

_RESUMABLE = {"Tus-Resumable": tus.VERSION}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


@router.options("", status_code=204)
def protocol(parts: Parts) -> Response:
    """Which of tus 1.0 there is."""
    headers = {
        **_RESUMABLE,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(parts.limits.max_bytes),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


@router.post("", status_code=201, responses=_problems(400, 409, 412, 413, 460, 507))
async def create_upload(parts: Parts, request: Request) -> Response:
    """Begin an upload of `Upload-Length` bytes; the body may hold the first of them."""
    body = RequestBody(request)
    try:
        partial = await _created(parts, request)
        if request.headers.get("content-type") == tus.CONTENT_TYPE:
            partial = await _append(parts, request, body, partial.id, 0)
    except ServiceError:
        await body.drain()
        raise
    headers = {"Location": f"/uploads/{partial.id}", **_RESUMABLE, **tus.described(partial)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


async def _created(parts: Gateway, request: Request) -> Partial:
    tus.require_version(request.headers)
    length = tus.upload_length(request.headers, parts.limits.max_bytes)
    metadata = tus.upload_metadata(request.headers)
    return await run_sync(parts.spool.create, length, tus.filename_in(metadata), metadata)


@router.head("/{upload_id}", responses=_problems(404, 412))
def show_upload(upload_id: str, parts: Parts, request: Request) -> Response:
    """How far an upload has come."""
    tus.require_version(request.headers)
    partial = parts.spool.get(upload_id)
    headers = {
        **_RESUMABLE,
        **tus.described(partial),
        "Upload-Length": str(partial.length),
        "Cache-Control": "no-store",
    }
    if partial.metadata:
        headers["Upload-Metadata"] = partial.metadata
    return Response(headers=headers)


@router.patch(
    "/{upload_id}", status_code=204, responses=_problems(400, 404, 409, 412, 413, 415, 423, 460, 507)
)
async def append_to_upload(upload_id: str, parts: Parts, request: Request) -> Response:
    """Bytes from `Upload-Offset` on. What has arrived is kept when the connection breaks."""
    body = RequestBody(request)
    try:
        tus.require_version(request.headers)
        if request.headers.get("content-type") != tus.CONTENT_TYPE:
            raise WrongContentType(f"send Content-Type: {tus.CONTENT_TYPE}")
        partial = await _append(parts, request, body, upload_id, tus.upload_offset(request.headers))
    except ServiceError:
        await body.drain()
        raise
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={**_RESUMABLE, **tus.described(partial)})


@router.delete("/{upload_id}", status_code=204, responses=_problems(404, 412))
def terminate_upload(upload_id: str, parts: Parts, request: Request) -> Response:
    """Give an upload up."""
    tus.require_version(request.headers)
    parts.spool.remove(upload_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_RESUMABLE)


async def _append(
    parts: Gateway, request: Request, body: RequestBody, upload_id: str, offset: int
) -> Partial:
    checksum = tus.upload_checksum(request.headers)
    with parts.spool.appending(upload_id, offset) as appender:
        try:
            await _receive(body, appender, checksum)
        except (ChecksumMismatch, ClientDisconnect, MalformedRequest):
            if checksum:  # what cannot be checked is as good as wrong
                appender.undo()
            raise
    return await run_sync(parts.spool.get, upload_id)


async def _receive(body: RequestBody, appender: Appender, checksum: tus.Checksum | None) -> None:
    hasher = checksum.hasher() if checksum else None
    buffer = bytearray()
    try:
        async for chunk in body.chunks():
            UPLOAD_BYTES.inc(len(chunk))
            if hasher:
                hasher.update(chunk)
            buffer += chunk
            if len(buffer) >= WRITE_BYTES:
                data, buffer = bytes(buffer), bytearray()
                await run_sync(appender.write, data)
    finally:
        if buffer:
            await run_sync(appender.write, bytes(buffer))
    if checksum and hasher and not hmac.compare_digest(hasher.digest(), checksum.digest):
        raise ChecksumMismatch(f"the bytes do not have the {checksum.algorithm} that was sent with them")
