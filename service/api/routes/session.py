"""``/session``: a browser shows its key once and then has a cookie, which also goes along where no header can."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.access import COOKIE, caller_of
from service.api.dependencies import Keys
from service.api.openapi.responses import Responses, problems, response_headers
from service.errors.access import Unauthenticated
from service.tenancy.api_keys import SESSION_S, KeyRing, Scope

router = APIRouter(prefix="/session", tags=["service"])


class SessionBody(BaseModel):
    """What this browser, or this key, may do here."""

    keys_required: bool = Field(
        description="Whether a key is needed; without one, whoever reaches this service may do everything."
    )
    signed_in: bool = Field(description="Whether requests like this one are let in.")
    tenant: str | None = Field(examples=["default"])
    scopes: list[Scope]


_COOKIE_SET: Responses = {
    200: {"headers": response_headers(Set_Cookie="HttpOnly, SameSite=Strict, for twelve hours.")}
}


@router.get("", responses=problems())
def get_session(keys: Keys, request: Request) -> SessionBody:
    """Tells whether a key is needed, and whose this one is."""
    return _body(keys, request)


@router.post("", responses={**problems(Unauthenticated), **_COOKIE_SET})
def create_session(keys: Keys, request: Request, response: Response) -> SessionBody:
    """Signs in with `Authorization: Bearer <key>`: sets a cookie that stands for the key."""
    caller = caller_of(request, keys) if "authorization" in request.headers else None
    if caller is None:
        raise Unauthenticated("Send a valid key as Authorization: Bearer <key>.")
    if caller.key is not None:
        response.set_cookie(
            COOKIE,
            keys.begin_session(caller.key),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=_over_tls(request),
        )
    return _body(keys, request)


@router.delete("", status_code=204, responses=problems())
def delete_session(keys: Keys, request: Request) -> Response:
    """Signs out."""
    if token := request.cookies.get(COOKIE):
        keys.end_session(token)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _body(keys: KeyRing, request: Request) -> SessionBody:
    caller = caller_of(request, keys)
    return SessionBody(
        keys_required=keys.any(),
        signed_in=caller is not None,
        tenant=caller.tenant if caller else None,
        scopes=sorted(caller.scopes) if caller else [],
    )


def _over_tls(request: Request) -> bool:
    """Returns whether the browser came over TLS; behind a proxy only the page knows."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
