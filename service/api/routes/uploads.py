"""``/uploads``: resumable uploads by tus 1.0. A complete one becomes a job by ``POST /jobs`` with ``upload=<id>``."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from service.api.dependencies import Gateway, Parts
from service.api.openapi.responses import header_parameter, headers, problems
from service.api.upload import tus
from service.api.upload.body import RequestBody
from service.api.upload.receiving import WRITE_BYTES
from service.errors.base import ServiceError
from service.errors.limit import StorageQuotaExceeded
from service.errors.storage import StorageFull
from service.errors.upload import (
    ChecksumMismatch,
    MalformedRequest,
    TusVersionUnsupported,
    UploadLocked,
    UploadNotFound,
    UploadOffsetMismatch,
    UploadTooLarge,
    WrongContentType,
)
from service.metrics import UPLOAD_BYTES
from service.storage.spool import Appender, PartialUpload, new_upload_id

router = APIRouter(prefix="/uploads", tags=["uploads"])

_RESUMABLE = {"Tus-Resumable": tus.VERSION}


_VERSION = header_parameter("Tus-Resumable", "the protocol's version", required=True, enum=[tus.VERSION])
_OFFSET = header_parameter("Upload-Offset", "bytes that are there", required=True, pattern=r"^\d{1,18}$")
_LENGTH = header_parameter("Upload-Length", "bytes of the video", required=True, pattern=r"^\d{1,18}$")
_METADATA = header_parameter("Upload-Metadata", "pairs of a key and base64; `filename` names the video")
_CHECKSUM = header_parameter("Upload-Checksum", "algorithm and base64 of the hash of this request's body")
_BODY = {"content": {tus.CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
_PROGRESS = headers(
    Tus_Resumable="the protocol's version",
    Upload_Offset="bytes that are there",
    Upload_Expires="when it goes",
)
_WRITING = (
    MalformedRequest,
    UploadOffsetMismatch,
    TusVersionUnsupported,
    UploadTooLarge,
    ChecksumMismatch,
    StorageFull,
    StorageQuotaExceeded,
)
_FOUND = problems(UploadNotFound, TusVersionUnsupported)


@router.options("", status_code=204)
def protocol(parts: Parts) -> Response:
    """Which of tus 1.0 there is."""
    told = {
        **_RESUMABLE,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(parts.limits.max_bytes),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=told)


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses={
        **problems(*_WRITING),
        201: {"headers": {**_PROGRESS, **headers(Location="the upload")}},
    },
    openapi_extra={"parameters": [_VERSION, _LENGTH, _METADATA, _CHECKSUM], "requestBody": _BODY},
)
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
    told = {"Location": f"/uploads/{partial.id}", **_RESUMABLE, **tus.described(partial)}
    return Response(status_code=HTTPStatus.CREATED, headers=told)


async def _created(parts: Gateway, request: Request) -> PartialUpload:
    tus.require_version(request.headers)
    length = tus.upload_length(request.headers, parts.limits.max_bytes)
    metadata = tus.upload_metadata(request.headers)
    upload_id, key = new_upload_id(), parts.caller.key
    await run_sync(parts.quotas.hold_bytes, key, upload_id, length, parts.spool.keep_s)
    try:
        return await run_sync(parts.spool.create, length, tus.filename_in(metadata), metadata, upload_id)
    except ServiceError:
        await run_sync(parts.quotas.let_go, key, upload_id)
        raise


@router.head(
    "/{upload_id}",
    responses={**_FOUND, 200: {"headers": {**_PROGRESS, **headers(Upload_Length="bytes of the video")}}},
    openapi_extra={"parameters": [_VERSION]},
)
def show_upload(upload_id: str, parts: Parts, request: Request) -> Response:
    """How far an upload has come."""
    tus.require_version(request.headers)
    partial = parts.spool.get(upload_id)
    told = {
        **_RESUMABLE,
        **tus.described(partial),
        "Upload-Length": str(partial.length),
        "Cache-Control": "no-store",
    }
    if partial.metadata:
        told["Upload-Metadata"] = partial.metadata
    return Response(headers=told)


@router.patch(
    "/{upload_id}",
    status_code=204,
    responses={
        **problems(*_WRITING, UploadNotFound, UploadLocked, WrongContentType),
        204: {"headers": _PROGRESS},
    },
    openapi_extra={"parameters": [_VERSION, _OFFSET, _CHECKSUM], "requestBody": {"required": True, **_BODY}},
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


@router.delete("/{upload_id}", status_code=204, responses=_FOUND, openapi_extra={"parameters": [_VERSION]})
def terminate_upload(upload_id: str, parts: Parts, request: Request) -> Response:
    """Give an upload up."""
    tus.require_version(request.headers)
    parts.spool.remove(upload_id)
    parts.quotas.let_go(parts.caller.key, upload_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_RESUMABLE)


async def _append(
    parts: Gateway, request: Request, body: RequestBody, upload_id: str, offset: int
) -> PartialUpload:
    checksum = tus.upload_checksum(request.headers)
    length = (await run_sync(parts.spool.get, upload_id)).length
    await run_sync(parts.quotas.hold_bytes, parts.caller.key, upload_id, length, parts.spool.keep_s)
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
