"""Upload tokens let a browser send one video without the key of the server behind its page.

A token reads ``cdvd_upload_<id>_<secret>``; as of a key, only the SHA-256 of the secret is kept. It stands for the key
that made it, with that key's limits, and ends with it. What is known of a token is one hash in Redis, which expires
with it.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import redis

from service.errors.access import UploadTokenNotFound
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.scripts import upload_tokens
from service.tenancy.api_keys import digest

_TOKEN = re.compile(r"cdvd_upload_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_PREFIX = "cdvd_upload_"
_ID = re.compile(r"[0-9a-f]{12}")

USUAL_S, LONGEST_S = 15 * 60, 24 * 3600
"""For how many seconds a token is good: as a rule, and at most. It has to last for upload, job and download.
Submissions are remembered for as long as the longest, so that a token never makes a second job."""


@dataclass(frozen=True)
class Grant:
    """What a token is good for."""

    tenant: str
    issuer: str | None
    """The prefix of the key that made it; None where nobody needed a key then."""
    max_bytes: int
    """Bytes that the upload may have."""
    options: Mapping[str, str] | None
    """The text fields that its job has; None leaves them to the browser."""
    expires_at: float
    """In unix seconds."""


@dataclass(frozen=True)
class UploadToken:
    """A token without its secret."""

    id: str
    grant: Grant
    upload_id: str | None = None
    """The one upload that was begun with it."""
    job_id: str | None = None
    """The job that was made of the upload."""


class UploadTokens:
    """Tokens in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._claim = client.register_script(upload_tokens.CLAIM)

    def create(self, grant: Grant) -> tuple[UploadToken, str]:
        """Creates a token; returns it with its whole text, which is kept nowhere."""
        token, secret = UploadToken(secrets.token_hex(6), grant), secrets.token_urlsafe(32)
        name = key_names.upload_token(token.id)
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(name, mapping={"grant": json.dumps(asdict(grant)), "sha256": digest(secret)})
            pipe.pexpireat(name, round(grant.expires_at * 1000))
            pipe.execute()
        return token, f"{_PREFIX}{token.id}_{secret}"

    def identify(self, text: str) -> UploadToken | None:
        """Returns the token with this text; None if it is wrong, revoked or expired."""
        match = _TOKEN.fullmatch(text)
        found = self._find(match[1]) if match else None
        if match is None or found is None:
            return None
        token, sha256 = found
        return token if hmac.compare_digest(digest(match[2]), sha256) else None

    def get(self, token_id: str) -> UploadToken:
        """Returns the token of this id. Raises UploadTokenNotFound, also for one that has expired."""
        found = self._find(token_id) if _ID.fullmatch(token_id) else None
        if found is None:
            raise UploadTokenNotFound(f"There is no upload token {token_id[:64]!r}, or it has expired.")
        return found[0]

    def revoke(self, token_id: str) -> None:
        """Revokes a token: it is refused from the next request on, and its upload and its job stay."""
        with broker_errors():
            self._redis.delete(key_names.upload_token(token_id))

    def own_upload(self, token_id: str, upload_id: str) -> str | None:
        """Makes an upload the token's own unless it has one; returns the one it has. None if the token is gone."""
        return self._own(token_id, "upload", upload_id)

    def own_job(self, token_id: str, job_id: str) -> str | None:
        """Makes a job the token's own, as ``own_upload`` does with an upload."""
        return self._own(token_id, "job", job_id)

    def _own(self, token_id: str, field: str, value: str) -> str | None:
        with broker_errors():
            owned = self._claim(keys=[key_names.upload_token(token_id)], args=[field, value])
        return str(owned) if owned else None

    def _find(self, token_id: str) -> tuple[UploadToken, str] | None:
        with broker_errors():
            name = key_names.upload_token(token_id)
            grant, sha256, upload, job = self._redis.hmget(name, "grant", "sha256", "upload", "job")
        if not grant or not sha256:
            return None
        token = UploadToken(token_id, Grant(**json.loads(str(grant))), _text(upload), _text(job))
        return (token, str(sha256)) if time.time() < token.grant.expires_at else None


def is_upload_token(text: str) -> bool:
    """Returns whether a text is meant as an upload token, right or wrong."""
    return text.startswith(_PREFIX)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
