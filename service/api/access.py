"""Decides who is asking and what they may do: one rule for every route; whoever breaks it is told why.

Before the first key is made, everybody is the same anonymous caller with every right; the service is then bound to
this machine. From the first key on, also after all were revoked, every route that handles data asks for one:
``Authorization: Bearer <key>``, or the cookie of a session, for what cannot send a header (a video element, a
link, an event source).

``/metrics`` tells about all tenants together, so it wants a scope of its own, which the key of a Prometheus needs
and no other: ``cdvd keys create prometheus --scope metrics``.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.requests import Request

from service.errors.access import OriginMissing, ScopeMissing, Unauthenticated
from service.tenancy.api_keys import DEFAULT_TENANT, ApiKey, KeyRing, Scope

COOKIE = "cdvd_session"
RECHECK_S = 1.0
"""Seconds for which it stays true that a caller is let in."""
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Rule:
    """What a route asks of its caller."""

    scopes: tuple[Scope, ...] = ()
    """The caller needs one of these; a route with none is open to everybody."""
    metered: bool = False
    """Whether a call counts as a submission of the key."""


@dataclass(frozen=True)
class Caller:
    """Who is asking; what they make belongs to ``tenant``."""

    tenant: str
    scopes: frozenset[Scope]
    key: ApiKey | None = None

    @property
    def sees_all(self) -> bool:
        """Whether the caller sees the jobs of every tenant."""
        return self.key is not None and Scope.ADMIN in self.scopes

    def may(self, rule: Rule) -> bool:
        """Returns whether the caller has one of the scopes that ``rule`` asks for."""
        return not rule.scopes or bool(self.scopes & {*rule.scopes, Scope.ADMIN})


ANONYMOUS = Caller(DEFAULT_TENANT, frozenset(Scope))
NOBODY = Caller("", frozenset())
"""Stands for every caller of a route that is open to everybody; has no jobs."""

_OPEN = Rule()
_READ = Rule((Scope.READ,))
_WRITE = Rule((Scope.SUBMIT,))
_SUBMIT = Rule((Scope.SUBMIT,), metered=True)

RULES: dict[str, Rule] = {
    "GET /": _OPEN,
    "GET /docs": _OPEN,
    "GET /openapi.json": _OPEN,
    "GET /livez": _OPEN,
    "GET /readyz": _OPEN,
    "GET /version": _OPEN,
    "GET /session": _OPEN,
    "POST /session": _OPEN,
    "DELETE /session": _OPEN,
    "GET /metrics": Rule((Scope.METRICS,)),
    "GET /models": Rule((Scope.READ, Scope.SUBMIT)),
    "POST /estimates": _SUBMIT,
    "POST /jobs": _SUBMIT,
    "GET /jobs": _READ,
    "GET /jobs/{job_id}": _READ,
    "DELETE /jobs/{job_id}": _WRITE,
    "POST /jobs/{job_id}/cancel": _WRITE,
    "POST /jobs/{job_id}/retry": _SUBMIT,
    "GET /jobs/{job_id}/events": _READ,
    "GET /jobs/{job_id}/result": _READ,
    "GET /jobs/{job_id}/source": _READ,
    "GET /jobs/{job_id}/report": _READ,
    "GET /jobs/{job_id}/sharpness": _READ,
    "GET /jobs/{job_id}/frames": _READ,
    "GET /jobs/{job_id}/preview/{frame}.jpg": _READ,
    "GET /jobs/{job_id}/webhooks": _READ,
    "POST /jobs/{job_id}/webhooks/{event_id}/resend": _WRITE,
    "GET /webhooks/dead": _READ,
    "OPTIONS /uploads": _OPEN,
    "POST /uploads": _WRITE,
    "HEAD /uploads/{upload_id}": _WRITE,
    "PATCH /uploads/{upload_id}": _WRITE,
    "DELETE /uploads/{upload_id}": _WRITE,
}


def rule_of(method: str, path: str) -> Rule:
    """Returns the rule of a route by its template. HEAD is GET; a route without a rule is the administrator's alone."""
    named = RULES.get(f"{method} {path}")
    if named is None and method == "HEAD":
        named = RULES.get(f"GET {path}")
    return named or Rule((Scope.ADMIN,))


def admitted(request: Request, ring: KeyRing, rule: Rule) -> Caller:
    """Returns the caller if the rule lets them in.

    Raises Unauthenticated, ScopeMissing, OriginMissing and RateLimited.
    """
    if not rule.scopes:
        return NOBODY
    caller = caller_of(request, ring)
    if caller is None:
        raise Unauthenticated(
            "Send a valid key as Authorization: Bearer <key>; `cdvd keys create` makes one."
        )
    if not caller.may(rule):
        wanted = " or ".join(rule.scopes)
        raise ScopeMissing(
            f"This takes a key with the scope {wanted}; this one has: {', '.join(sorted(caller.scopes))}."
        )
    return caller


def caller_of(request: Request, ring: KeyRing) -> Caller | None:
    """Returns the caller by key or by session, and None for neither where one is asked for.

    Raises RateLimited if too many wrong ones came from the same address.
    """
    if not ring.any():
        return ANONYMOUS
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme:
        key = ring.identify(text.strip()) if scheme.lower() == "bearer" else None
    else:
        key = _in_session(request, ring)
    if key is None:
        if scheme:
            request.app.state.wrong_keys.count(request.client.host if request.client else "")
        return None
    return Caller(key.tenant, key.scopes, key)


class Rechecks:
    """Looks up again and again whether the callers of long answers would still be let in, once for all of a key's.

    For one event loop.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._answers: dict[str | None, tuple[float, asyncio.Future[bool]]] = {}

    async def still_admitted(self, caller: Caller) -> bool:
        """Returns what was true at most RECHECK_S ago. Raises BrokerUnavailable."""
        prefix, now = caller.key.prefix if caller.key else None, time.monotonic()
        asked, answer = self._answers.get(prefix, (-math.inf, None))
        if answer is None or now - asked > RECHECK_S:
            answer = asyncio.ensure_future(run_sync(self._look_up, prefix))
            self._answers[prefix] = now, answer
        return await asyncio.shield(answer)

    def _look_up(self, prefix: str | None) -> bool:
        return not self._ring.any() if prefix is None else self._ring.still_valid(prefix)


def _in_session(request: Request, ring: KeyRing) -> ApiKey | None:
    """Returns the key of the session in the cookie, None for no valid session. Raises OriginMissing.

    Browsers send the cookie by themselves, so what changes something must also come from a page of ours: the guard
    compares the Origin, and browsers send it with every such request.
    """
    token = request.cookies.get(COOKIE)
    key = ring.in_session(token) if token else None
    if key is not None and request.method not in _SAFE_METHODS and "origin" not in request.headers:
        raise OriginMissing(
            "A session serves only the page itself; programs send Authorization: Bearer <key>."
        )
    return key
