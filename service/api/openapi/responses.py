"""Describes errors and headers in the OpenAPI document, from the error classes that a route can raise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from service.api.answers.problems import MEDIA_TYPE, status_of, title_of
from service.api.middleware.request_log import REQUEST_ID
from service.errors.access import OriginMissing, ScopeMissing, Unauthenticated
from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.limit import RateLimited, TooManyConnections
from service.errors.storage import StorageFull, StorageUnavailable
from service.errors.submission import InvalidOption, NeedsMoreMemory, UnknownParameter
from service.errors.upload import EmptyUpload, MalformedRequest, RequestTimeout, UploadTooLarge
from service.errors.video import (
    ColorRejected,
    DamagedVideo,
    ExcerptEmpty,
    FrameSizeRejected,
    NotAVideo,
    NoVideoStream,
    ProbeTimeout,
    VideoTooLong,
)

Responses = dict[int | str, dict[str, Any]]

BINARY = {"type": "string", "format": "binary"}
"""The schema of a body that is bytes."""

_SCHEMA = {"$ref": "#/components/schemas/ProblemBody"}
_ANYWHERE = (
    (HTTPStatus.UNAUTHORIZED, Unauthenticated.code),
    (HTTPStatus.FORBIDDEN, "forbidden"),
    (HTTPStatus.FORBIDDEN, ScopeMissing.code),
    (HTTPStatus.FORBIDDEN, OriginMissing.code),
    (HTTPStatus.BAD_REQUEST, MalformedRequest.code),
    (HTTPStatus.REQUEST_TIMEOUT, RequestTimeout.code),
    (HTTPStatus.TOO_MANY_REQUESTS, TooManyConnections.code),
    (HTTPStatus.TOO_MANY_REQUESTS, RateLimited.code),
    (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request"),
    (HTTPStatus.UNPROCESSABLE_ENTITY, UnknownParameter.code),
    (HTTPStatus.INTERNAL_SERVER_ERROR, ServiceError.code),
    (HTTPStatus.SERVICE_UNAVAILABLE, BrokerUnavailable.code),
    (HTTPStatus.SERVICE_UNAVAILABLE, TooManyConnections.code),
)
"""Errors that have nothing to do with what was asked for."""

UPLOAD_REFUSALS = (
    EmptyUpload,
    UploadTooLarge,
    MalformedRequest,
    InvalidOption,
    NeedsMoreMemory,
    NotAVideo,
    NoVideoStream,
    DamagedVideo,
    ColorRejected,
    FrameSizeRejected,
    VideoTooLong,
    ExcerptEmpty,
    ProbeTimeout,
    StorageFull,
    StorageUnavailable,
)
"""What a request with a video in it can be refused with."""


def problems(*kinds: type[ServiceError]) -> Responses:
    """Describes the errors of a route that can raise ``kinds``, each with its code, and what can happen anywhere."""
    codes = defaultdict[int, list[str]](list)
    for status, code in dict.fromkeys((*_ANYWHERE, *((status_of(kind), kind.code) for kind in kinds))):
        codes[int(status)].append(code)
    return {status: _problem(status, names) for status, names in sorted(codes.items())}


def with_error(status: HTTPStatus, code: str) -> Responses:
    """Describes the errors of a route with one of its own, which is no class, and what can happen anywhere."""
    return {**problems(), int(status): _problem(status, [code])}


def response_headers(**described: str) -> dict[str, Any]:
    """Describes response headers: ``Retry_After="Seconds."`` documents ``Retry-After``."""
    return {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
        for name, text in described.items()
    }


def header_parameter(name: str, text: str, required: bool = False, **schema: Any) -> dict[str, Any]:
    """Describes a request header that the route reads by itself."""
    schema = {"type": "string", **schema}
    return {"in": "header", "name": name, "description": text, "required": required, "schema": schema}


REQUEST_HEADER = header_parameter(REQUEST_ID, "Names the request in all logs, and the job that it makes.")


def _problem(status: int, codes: Iterable[str]) -> dict[str, Any]:
    examples = {code: {"value": _example(status, code)} for code in codes}
    described = ", ".join(f"`{code}`" for code in examples)
    return {"description": described, "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": examples}}}


def _example(status: int, code: str) -> dict[str, Any]:
    detail = "A sentence for people: what was wrong, and what is allowed."
    return {"type": "about:blank", "title": title_of(code), "status": status, "code": code, "detail": detail}
