"""Answers errors with problem documents (RFC 9457). No other module knows HTTP statuses."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route

from service.errors.access import AccessError, KeyNotFound, Unauthenticated, UploadTokenNotFound
from service.errors.base import ServiceError
from service.errors.broker import BrokerDiskFull, BrokerUnavailable
from service.errors.engine import ModelNotFound
from service.errors.job import (
    ExportFailed,
    FrameNotFound,
    FrameNotRestored,
    JobNotFinished,
    JobNotFound,
    JobStateConflict,
    ResultExpired,
    WorkerNotFound,
)
from service.errors.limit import IntakeClosed, LimitReached, TooManyStreams
from service.errors.outbound import AddressRefused
from service.errors.pipeline import FidelityLost
from service.errors.storage import StorageFull, StorageUnavailable
from service.errors.submission import SubmissionError, SubmissionInFlight
from service.errors.upload import (
    ChecksumMismatch,
    MalformedRequest,
    RequestTimeout,
    TusVersionUnsupported,
    UploadError,
    UploadExpired,
    UploadIncomplete,
    UploadLocked,
    UploadNotFound,
    UploadOffsetMismatch,
    UploadTooLarge,
    WrongContentType,
)
from service.errors.video import (
    NotAVideo,
    VideoError,
)
from service.errors.webhook import DeliveryNotFound, WebhookRefused

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""Suggested to clients when something that the service needs is away: mostly it is back in seconds."""

STATUS: dict[type[ServiceError], int] = {
    UploadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    NotAVideo: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RequestTimeout: HTTPStatus.REQUEST_TIMEOUT,
    UploadNotFound: HTTPStatus.NOT_FOUND,
    UploadExpired: HTTPStatus.GONE,
    UploadIncomplete: HTTPStatus.CONFLICT,
    UploadLocked: HTTPStatus.LOCKED,
    UploadOffsetMismatch: HTTPStatus.CONFLICT,
    ChecksumMismatch: 460,
    WrongContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TusVersionUnsupported: HTTPStatus.PRECONDITION_FAILED,
    SubmissionInFlight: HTTPStatus.CONFLICT,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    FidelityLost: HTTPStatus.UNPROCESSABLE_ENTITY,
    VideoError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UploadError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SubmissionError: HTTPStatus.UNPROCESSABLE_ENTITY,
    WebhookRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    AddressRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    JobNotFound: HTTPStatus.NOT_FOUND,
    DeliveryNotFound: HTTPStatus.NOT_FOUND,
    JobNotFinished: HTTPStatus.CONFLICT,
    JobStateConflict: HTTPStatus.CONFLICT,
    FrameNotFound: HTTPStatus.NOT_FOUND,
    FrameNotRestored: HTTPStatus.CONFLICT,
    ExportFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    ResultExpired: HTTPStatus.GONE,
    ModelNotFound: HTTPStatus.NOT_FOUND,
    WorkerNotFound: HTTPStatus.NOT_FOUND,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    AccessError: HTTPStatus.FORBIDDEN,
    KeyNotFound: HTTPStatus.NOT_FOUND,
    UploadTokenNotFound: HTTPStatus.NOT_FOUND,
    TooManyStreams: HTTPStatus.SERVICE_UNAVAILABLE,
    IntakeClosed: HTTPStatus.SERVICE_UNAVAILABLE,
    LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    BrokerDiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    BrokerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""An error has the status of its nearest ancestor here; what has none is our fault, 500."""

_DETAILS = {
    int(HTTPStatus.NOT_FOUND): "There is nothing at this address.",
    int(
        HTTPStatus.METHOD_NOT_ALLOWED
    ): "This address does not take this method; the header Allow names those it takes.",
}
"""For what the framework refuses with no more than the name of the status."""


def status_of(kind: type[ServiceError]) -> int:
    """Returns the HTTP status of an error class."""
    for ancestor in kind.__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def title_of(code: str) -> str:
    """Returns a title for people: ``not_a_video`` reads 'Not a video'."""
    return code.replace("_", " ").capitalize()


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """Makes a problem document; ``code`` is the stable name of what went wrong, ``detail`` a sentence."""
    body = {"type": "about:blank", "title": title_of(code), "status": status, "code": code, "detail": detail}
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({**body, **more}, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes ``app`` answer every error of the service and of the framework with a problem document."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _bug)


async def _service_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    answer = problem(status_of(type(error)), error.code, str(error))
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if isinstance(error, Unauthenticated):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    for fault in error.errors():
        if fault["type"] == "extra_forbidden":
            return await _service_error(
                request, request.app.state.known_names.refusal_of_field(request, fault["loc"])
            )
    faults = [
        {"field": ".".join(map(str, fault["loc"])), "message": fault["msg"]} for fault in error.errors()
    ]
    detail = " ".join(
        f"{fault['field']}: {_sentence(fault['message'])}".removeprefix(": ") for fault in faults
    )
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, errors=faults)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Answers what the framework refuses by itself: unknown addresses, methods that an address does not take."""
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    detail = _DETAILS.get(error.status_code, _sentence(error.detail))
    answer = problem(error.status_code, code, detail)
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer


def _methods(request: Request) -> set[str]:
    """Returns the methods of all routes with this address; the framework names those of the first alone."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return set().union(*(route.methods or set() for route in matching))


def _sentence(text: str) -> str:
    """Makes a sentence of a message of the framework, which mostly lacks the full stop."""
    return f"{text.removeprefix('Value error, ').rstrip('.')}."


async def _gone(_request: Request, _error: Exception) -> JSONResponse:
    """Answers nobody, but keeps a client that left out of the log of faults."""
    return problem(HTTPStatus.BAD_REQUEST, MalformedRequest.code, "The connection was lost.")


async def _bug(_request: Request, _error: Exception) -> JSONResponse:
    """Answers without the traceback, which goes to the log."""
    detail = "The service has a fault; its log tells more."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, ServiceError.code, detail)
