"""``/upload-tokens``: lets the browsers of a server's visitors send one video each, without the server's key."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.access import Caller
from service.api.dependencies import AdmittedCaller, MaxUploadBytes, Rules, Tokens
from service.api.openapi.responses import Responses, problems, response_headers
from service.api.upload.json_body import json_body
from service.errors.access import UploadTokenNotFound
from service.errors.limit import RateLimited
from service.errors.outbound import AddressRefused
from service.errors.submission import InvalidOption
from service.errors.webhook import WebhookRefused
from service.options import JobOptions
from service.submission.texts import texts_of
from service.tenancy.upload_tokens import LONGEST_S, USUAL_S, Grant, UploadToken, UploadTokens

router = APIRouter(prefix="/upload-tokens", tags=["uploads"])

TokenId = Annotated[str, Path(examples=["3f9a51c07b2e"])]


class UploadTokenRequest(BaseModel):
    """What the token is to be good for."""

    model_config = ConfigDict(extra="forbid")

    expires_in_s: int = Field(
        USUAL_S, ge=60, le=LONGEST_S, description="Seconds; has to last for upload, job and download."
    )
    max_bytes: int | None = Field(None, ge=1, description="Bytes that the video may have.")
    options: JobOptions | None = Field(
        None,
        description="Fixes the options of the job, `{}` the usual ones. Without it the browser may choose any but "
        "`preview`, `webhook_url` and `output_url`.",
    )


class UploadTokenBody(BaseModel):
    """A token, without its secret."""

    id: str = Field(examples=["3f9a51c07b2e"])
    expires_at: datetime
    max_bytes: int
    options: dict[str, str] | None = Field(description="Fixed for the job; null leaves them to the browser.")
    upload: str | None = Field(description="The id of the upload that was begun with it.")
    job: str | None = Field(description="The id of the job that was made of the upload.")


class NewUploadTokenBody(UploadTokenBody):
    token: str = Field(description="For the browser, as `Authorization: Bearer <token>`; shown this once.")


_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": UploadTokenRequest.model_json_schema()}},
    }
}
_MADE: Responses = {201: {"headers": response_headers(Location="The address of the token.")}}
_FOUND = problems(UploadTokenNotFound)


@router.post(
    "",
    status_code=201,
    response_model=NewUploadTokenBody,
    responses={**problems(InvalidOption, AddressRefused, WebhookRefused, RateLimited), **_MADE},
    openapi_extra=_BODY,
)
async def create_upload_token(
    caller: AdmittedCaller, tokens: Tokens, rules: Rules, max_bytes: MaxUploadBytes, request: Request
) -> Response:
    """Makes a token with which a browser may send one video by `/uploads`, make a job of it, follow that and fetch its
    result.

    It counts as the submission of its key, and ends with the key.
    """
    asked = await json_body(request, UploadTokenRequest)
    if asked.options is not None:
        await run_sync(rules.check, asked.options)
    token, text = await run_sync(tokens.create, _grant(asked, caller, max_bytes))
    headers = {"Location": f"/upload-tokens/{token.id}", "Cache-Control": "no-store"}
    body = NewUploadTokenBody(**_body(token).model_dump(), token=text)
    return Response(body.model_dump_json(), HTTPStatus.CREATED, headers, "application/json")


@router.get("/{token_id}", responses=_FOUND)
def get_upload_token(token_id: TokenId, caller: AdmittedCaller, tokens: Tokens) -> UploadTokenBody:
    """Shows what became of a token: its upload and its job."""
    return _body(_own(tokens, token_id, caller))


@router.delete("/{token_id}", status_code=204, responses=_FOUND)
def delete_upload_token(token_id: TokenId, caller: AdmittedCaller, tokens: Tokens) -> None:
    """Revokes a token; its upload and its job stay."""
    tokens.revoke(_own(tokens, token_id, caller).id)


def _own(tokens: UploadTokens, token_id: str, caller: Caller) -> UploadToken:
    token = tokens.get(token_id)
    if token.grant.tenant != caller.tenant and not caller.sees_all:
        raise UploadTokenNotFound(f"There is no upload token {token_id!r}, or it has expired.")
    return token


def _grant(asked: UploadTokenRequest, caller: Caller, max_bytes: int) -> Grant:
    return Grant(
        tenant=caller.tenant,
        issuer=caller.key.prefix if caller.key else None,
        max_bytes=min(asked.max_bytes or max_bytes, max_bytes),
        options=None if asked.options is None else texts_of(asked.options),
        expires_at=time.time() + asked.expires_in_s,
    )


def _body(token: UploadToken) -> UploadTokenBody:
    grant = token.grant
    return UploadTokenBody(
        id=token.id,
        expires_at=datetime.fromtimestamp(grant.expires_at, UTC),
        max_bytes=grant.max_bytes,
        options=None if grant.options is None else dict(grant.options),
        upload=token.upload_id,
        job=token.job_id,
    )
