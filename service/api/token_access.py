"""Lets upload tokens in: they open the way of one video, and nothing else.

A token may do what the key that made it may, on the routes that are ``by_token`` and with its own upload and job alone.
It is looked at before there is a question of keys, so that it opens no more where nobody needs one.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from service.api.access import ANONYMOUS, Caller, Rule, authorization, count_wrong_key
from service.errors.access import ScopeMissing, Unauthenticated
from service.errors.job import JobNotFound
from service.errors.upload import UploadNotFound
from service.tenancy.api_keys import KeyRing, Scope
from service.tenancy.upload_tokens import UploadToken, UploadTokens, is_upload_token

_USUAL = frozenset({Scope.SUBMIT, Scope.READ})
_FORM = "multipart/form-data"


def admitted_by_token(request: Request, ring: KeyRing, tokens: UploadTokens, rule: Rule) -> Caller | None:
    """Returns the caller if their upload token lets them in; None for a request without one.

    Raises Unauthenticated, ScopeMissing, JobNotFound, UploadNotFound and RateLimited.
    """
    scheme, text = authorization(request)
    if not rule.scopes or scheme != "bearer" or not is_upload_token(text):
        return None
    token = tokens.identify(text)
    issuer = issuer_of(token, ring) if token else None
    if token is None or issuer is None:
        count_wrong_key(request)
        raise Unauthenticated("This upload token is wrong, revoked or expired.")
    scopes = _USUAL if issuer.sees_all else _USUAL & issuer.scopes
    caller = Caller(token.grant.tenant, scopes, issuer.key, token)
    if not caller.may(rule):
        raise ScopeMissing("An upload token is for one upload and its job; this takes a key.")
    _require_own(token, request.path_params)
    if rule.metered and not request.headers.get("content-type", "").startswith(_FORM):
        raise ScopeMissing(f"With an upload token, a job is asked for by {_FORM} with the field upload.")
    return caller


def issuer_of(token: UploadToken, ring: KeyRing) -> Caller | None:
    """Returns who made a token, None if they would not be let in any more."""
    if token.grant.issuer is None:
        return None if ring.any() else ANONYMOUS
    key = ring.valid_key(token.grant.issuer)
    return Caller(key.tenant, key.scopes, key) if key else None


def _require_own(token: UploadToken, named: dict[str, Any]) -> None:
    if "job_id" in named and named["job_id"] != token.job_id:
        raise JobNotFound("This upload token is for another job.")
    if "upload_id" in named and named["upload_id"] != token.upload_id:
        raise UploadNotFound("This upload token is for another upload.")
