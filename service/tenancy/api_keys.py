"""API keys say who may do what, for which tenant, and how much of it.

A key reads ``cdvd_<prefix>_<secret>``. The prefix is public: lists show it, and it finds the record. Only the SHA-256
of the secret is kept. The secret is 256 random bits, so its hash does not help to guess it; a slow hash, which protects
what people make up, would only slow down every request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import redis

from service.errors.access import KeyNotFound
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts

_KEY = re.compile(r"cdvd_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
DEFAULT_TENANT = "default"
"""Owns what is submitted without a key, and with keys that name no other tenant: whoever begins to use keys on a
running installation still sees its earlier jobs."""

SESSION_S = 12 * 3600
"""For how many seconds a browser stays signed in."""


class Scope(StrEnum):
    """What a key may do."""

    SUBMIT = "submit"
    """Send, change and delete: jobs, uploads, estimates."""
    READ = "read"
    """Look at jobs and fetch their files."""
    METRICS = "metrics"
    """Read ``/metrics``, which cover all tenants: for the key of a Prometheus server that needs nothing else."""
    ADMIN = "admin"
    """Do everything, with the jobs of every tenant: for operators."""


@dataclass(frozen=True)
class KeyLimits:
    """What a key may use; None is no limit."""

    per_minute: int | None = None
    """Submissions per minute."""
    jobs: int | None = None
    """Jobs that have not ended, at a time."""
    bytes: int | None = None
    """Bytes of uploads and results that are kept."""


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret. Times are unix seconds."""

    prefix: str
    name: str
    tenant: str
    scopes: frozenset[Scope]
    limits: KeyLimits
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    @property
    def valid(self) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or time.time() < self.expires_at)


class KeyRing:
    """API keys in Redis, and browser sessions, each of which stands for a key. Methods raise BrokerUnavailable.

    Revoked keys stay on record, so that an installation that once had a key never becomes open again.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def create(
        self,
        name: str,
        scopes: frozenset[Scope],
        tenant: str = DEFAULT_TENANT,
        limits: KeyLimits | None = None,
        expires_at: float | None = None,
    ) -> tuple[ApiKey, str]:
        """Creates a key; returns it with its whole text, which is kept nowhere.

        ``expires_at`` is in unix seconds. Raises ValueError for a malformed tenant.
        """
        if not TENANT.fullmatch(tenant):
            raise ValueError(
                "A tenant has 1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit."
            )
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = ApiKey(prefix, name, tenant, scopes, limits or KeyLimits(), time.time(), expires_at)
        with broker_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key_names.api_key(prefix), mapping={"about": _to_json(key), "sha256": digest(secret)})
            pipe.zadd(key_names.API_KEYS, {prefix: key.created_at})
            pipe.execute()
        return key, f"cdvd_{prefix}_{secret}"

    def any(self) -> bool:
        """Returns whether a key was ever created: requests then need one."""
        with broker_errors():
            return bool(self._redis.exists(key_names.API_KEYS))

    def all(self) -> tuple[ApiKey, ...]:
        """Returns all keys, revoked ones included, oldest first."""
        with broker_errors():
            prefixes = texts(self._redis.zrange(key_names.API_KEYS, 0, -1))
        found = (self._find(prefix) for prefix in prefixes)
        return tuple(key for key, _ in filter(None, found))

    def revoke(self, prefix: str) -> ApiKey:
        """Revokes a key: it is refused from the next request on. Raises KeyNotFound."""
        found = self._find(prefix)
        if found is None:
            raise KeyNotFound(f"There is no key {prefix[:64]!r}; `cdvd keys list` shows all keys.")
        key = replace(found[0], revoked_at=found[0].revoked_at or time.time())
        with broker_errors():
            self._redis.hset(key_names.api_key(prefix), "about", _to_json(key))
        return key

    def identify(self, text: str) -> ApiKey | None:
        """Returns the key with this text; None if it is wrong, revoked or expired."""
        match = _KEY.fullmatch(text)
        found = self._find(match[1]) if match else None
        if match is None or found is None:
            return None
        key, sha256 = found
        return key if hmac.compare_digest(digest(match[2]), sha256) and key.valid else None

    def valid_key(self, prefix: str) -> ApiKey | None:
        """Returns the key of this prefix; None if it is revoked or expired, or there is none."""
        found = self._find(prefix)
        return found[0] if found and found[0].valid else None

    def begin_session(self, key: ApiKey) -> str:
        """Returns a token that stands for the key in a browser, for SESSION_S seconds.

        It is as secret as the key; only its SHA-256 is kept.
        """
        token = secrets.token_urlsafe(32)
        with broker_errors():
            self._redis.set(key_names.session(digest(token)), key.prefix, ex=SESSION_S)
        return token

    def in_session(self, token: str) -> ApiKey | None:
        """Returns the key of a session; None if the session is over or the key no longer valid."""
        with broker_errors():
            prefix = self._redis.get(key_names.session(digest(token)))
        return self.valid_key(str(prefix)) if prefix else None

    def end_session(self, token: str) -> None:
        """Signs a browser out."""
        with broker_errors():
            self._redis.delete(key_names.session(digest(token)))

    def _find(self, prefix: str) -> tuple[ApiKey, str] | None:
        with broker_errors():
            about, sha256 = self._redis.hmget(key_names.api_key(prefix), "about", "sha256")
        return (_from_json(prefix, str(about)), str(sha256)) if about and sha256 else None


def digest(secret: str) -> str:
    """Returns what is kept of a secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _to_json(key: ApiKey) -> str:
    return json.dumps({**asdict(key), "scopes": sorted(key.scopes)})


def _from_json(prefix: str, text: str) -> ApiKey:
    fields = json.loads(text)
    scopes = frozenset(map(Scope, fields["scopes"]))
    return ApiKey(**{**fields, "prefix": prefix, "scopes": scopes, "limits": KeyLimits(**fields["limits"])})
