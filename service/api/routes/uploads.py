"""``/uploads``: resumable uploads by tus 1.0. A complete one becomes a job by ``POST /jobs`` with ``upload=<id>``."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Intake, MaxUploadBytes, OwnSpool
from service.api.openapi.responses import BINARY, header_parameter, problems, response_headers
from service.api.upload import tus
from service.api.upload.body import RequestBody
from service.errors.access import UploadTokenUsed
from service.errors.base import ServiceError
from service.errors.limit import IntakeClosed, StorageQuotaExceeded
from service.errors.storage import StorageFull
from service.errors.upload import (
    ChecksumMismatch,
    MalformedRequest,
    TusVersionUnsupported,
    UploadExpired,
    UploadLocked,
    UploadNotFound,
    UploadOffsetMismatch,
    UploadTooLarge,
    WrongContentType,
)

router = APIRouter(prefix="/uploads", tags=["uploads"])

_RESUMABLE = {"Tus-Resumable": tus.VERSION}


_VERSION = header_parameter(
    "Tus-Resumable", "The version of the protocol.", required=True, enum=[tus.VERSION]
)
_OFFSET = header_parameter("Upload-Offset", "Bytes that are there.", required=True, pattern=r"^\d{1,18}$")
_LENGTH = header_parameter("Upload-Length", "Bytes of the video.", required=True, pattern=r"^\d{1,18}$")
_METADATA = header_parameter("Upload-Metadata", "Pairs of a key and base64; `filename` names the video.")
_CHECKSUM = header_parameter(
    "Upload-Checksum", "The algorithm, and the base64 of the hash, of this request's body."
)
_BODY = {"content": {tus.CONTENT_TYPE: {"schema": BINARY}}}
_PROGRESS = response_headers(
    Tus_Resumable="The version of the protocol.",
    Upload_Offset="Bytes that are there.",
    Upload_Expires="The time at which it is removed.",
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
_FOUND = problems(UploadNotFound, UploadExpired, TusVersionUnsupported)


@router.options("", status_code=204, responses=problems())
def get_upload_protocol(max_bytes: MaxUploadBytes) -> Response:
    """Tells which parts of tus 1.0 there are."""
    headers = {
        **_RESUMABLE,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses={
        **problems(*_WRITING, UploadTokenUsed, IntakeClosed),
        201: {"headers": {**_PROGRESS, **response_headers(Location="The address of the upload.")}},
    },
    openapi_extra={"parameters": [_VERSION, _LENGTH, _METADATA, _CHECKSUM], "requestBody": _BODY},
)
async def create_upload(intake: Intake, max_bytes: MaxUploadBytes, request: Request) -> Response:
    """Begins an upload of `Upload-Length` bytes; the body may hold the first of them."""
    body = RequestBody(request)
    try:
        tus.require_version(request.headers)
        length = tus.upload_length(request.headers, max_bytes)
        partial = await intake.create(length, tus.upload_metadata(request.headers))
        if request.headers.get("content-type") == tus.CONTENT_TYPE and not partial.offset:
            partial = await intake.append(body, partial.id, 0, tus.upload_checksum(request.headers))
    except ServiceError:
        await body.drain()
        raise
    headers = {"Location": f"/uploads/{partial.id}", **_RESUMABLE, **tus.progress_headers(partial)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses={
        **_FOUND,
        200: {"headers": {**_PROGRESS, **response_headers(Upload_Length="Bytes of the video.")}},
    },
    openapi_extra={"parameters": [_VERSION]},
)
def get_upload(upload_id: str, spool: OwnSpool, request: Request) -> Response:
    """Tells how far an upload has come."""
    tus.require_version(request.headers)
    partial = spool.get(upload_id)
    headers = {
        **_RESUMABLE,
        **tus.progress_headers(partial),
        "Upload-Length": str(partial.length),
        "Cache-Control": "no-store",
    }
    if partial.metadata:
        headers["Upload-Metadata"] = partial.metadata
    return Response(headers=headers)


@router.patch(
    "/{upload_id}",
    status_code=204,
    responses={
        **problems(*_WRITING, UploadNotFound, UploadExpired, UploadLocked, WrongContentType),
        204: {"headers": _PROGRESS},
    },
    openapi_extra={"parameters": [_VERSION, _OFFSET, _CHECKSUM], "requestBody": {"required": True, **_BODY}},
)
async def append_to_upload(upload_id: str, intake: Intake, request: Request) -> Response:
    """Takes bytes from `Upload-Offset` on. What has arrived is kept when the connection breaks."""
    body = RequestBody(request)
    try:
        tus.require_version(request.headers)
        if request.headers.get("content-type") != tus.CONTENT_TYPE:
            raise WrongContentType(f"Send Content-Type: {tus.CONTENT_TYPE}.")
        offset = tus.upload_offset(request.headers)
        partial = await intake.append(body, upload_id, offset, tus.upload_checksum(request.headers))
    except ServiceError:
        await body.drain()
        raise
    return Response(
        status_code=HTTPStatus.NO_CONTENT, headers={**_RESUMABLE, **tus.progress_headers(partial)}
    )


@router.delete("/{upload_id}", status_code=204, responses=_FOUND, openapi_extra={"parameters": [_VERSION]})
def delete_upload(upload_id: str, intake: Intake, request: Request) -> Response:
    """Gives an upload up."""
    tus.require_version(request.headers)
    intake.remove(upload_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_RESUMABLE)
