"""Decides who is asking and what they may do: one rule for every route; whoever breaks it is told why.

Before the first key is made, everybody is the same anonymous caller with every right; the service is then bound to
this machine. From the first key on, also after all were revoked, every route that handles data asks for one:
``Authorization: Bearer <key>``, or the cookie of a session, for what cannot send a header (a video element, a
link, an event source).

Upload tokens have a door of their own: ``service.api.token_access``.

``/metrics`` tells about all tenants together, so it wants a scope of its own, which the key of a Prometheus needs
and no other: ``cdvd keys create prometheus --scope metrics``.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from service.errors.access import OriginMissing, ScopeMissing, Unauthenticated
from service.tenancy.api_keys import DEFAULT_TENANT, ApiKey, KeyRing, Scope
from service.tenancy.upload_tokens import UploadToken

COOKIE = "cdvd_session"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Rule:
    """What a route asks of its caller."""

    scopes: tuple[Scope, ...] = ()
    """The caller needs one of these; a route with none is open to everybody."""
    metered: bool = False
    """Whether a call counts as a submission of the key."""
    new_work: bool = False
    """Whether a call brings work that is not taken while the intake is closed."""
    by_token: bool = False
    """Whether an upload token opens the route, too, for the token's own upload or job."""


@dataclass(frozen=True)
class Caller:
    """Who is asking; what they make belongs to ``tenant``."""

    tenant: str
    scopes: frozenset[Scope]
    key: ApiKey | None = None
    token: UploadToken | None = None
    """With one, the caller has rights over its upload and its job alone."""

    @property
    def sees_all(self) -> bool:
        """Whether the caller sees the jobs of every tenant."""
        return self.key is not None and Scope.ADMIN in self.scopes

    def may(self, rule: Rule) -> bool:
        """Returns whether the caller has one of the scopes that ``rule`` asks for."""
        if self.token is not None and not rule.by_token:
            return False
        return not rule.scopes or bool(self.scopes & {*rule.scopes, Scope.ADMIN})


ANONYMOUS = Caller(DEFAULT_TENANT, frozenset(Scope))
NOBODY = Caller("", frozenset())
"""Stands for every caller of a route that is open to everybody; has no jobs."""

_OPEN = Rule()
_READ = Rule((Scope.READ,))
_WRITE = Rule((Scope.SUBMIT,))
_SUBMIT = Rule((Scope.SUBMIT,), metered=True)
_OWN_READ = Rule((Scope.READ,), by_token=True)
_OWN_WRITE = Rule((Scope.SUBMIT,), by_token=True)
_OWN_SUBMIT = Rule((Scope.SUBMIT,), metered=True, new_work=True, by_token=True)
_ADMIN = Rule((Scope.ADMIN,))

RULES: dict[str, Rule] = {
    "GET /": _OPEN,
    "GET /docs": _OPEN,
    "GET /admin": _OPEN,
    "GET /admin/overview": _ADMIN,
    "PUT /admin/workers/{worker}/drain": _ADMIN,
    "DELETE /admin/workers/{worker}/drain": _ADMIN,
    "PUT /admin/intake/closed": _ADMIN,
    "DELETE /admin/intake/closed": _ADMIN,
    "GET /openapi.json": _OPEN,
    "GET /livez": _OPEN,
    "GET /readyz": _OPEN,
    "GET /version": _OPEN,
    "GET /session": _OPEN,
    "POST /session": _OPEN,
    "DELETE /session": _OPEN,
    "GET /metrics": Rule((Scope.METRICS,)),
    "GET /models": Rule((Scope.READ, Scope.SUBMIT)),
    "GET /limits": Rule((Scope.READ, Scope.SUBMIT)),
    "POST /estimates": _SUBMIT,
    "POST /jobs": _OWN_SUBMIT,
    "GET /jobs": _READ,
    "GET /jobs/{job_id}": _OWN_READ,
    "DELETE /jobs/{job_id}": _WRITE,
    "POST /jobs/{job_id}/cancel": _WRITE,
    "POST /jobs/{job_id}/retry": Rule((Scope.SUBMIT,), metered=True, new_work=True),
    "GET /jobs/{job_id}/events": _OWN_READ,
    "GET /jobs/{job_id}/result": _OWN_READ,
    "GET /jobs/{job_id}/source": _READ,
    "GET /jobs/{job_id}/report": _READ,
    "GET /jobs/{job_id}/sharpness": _READ,
    "GET /jobs/{job_id}/frames": _READ,
    "GET /jobs/{job_id}/preview/newest.jpg": _READ,
    "GET /jobs/{job_id}/preview/{frame}.jpg": _READ,
    "GET /jobs/{job_id}/preview/{frame}.png": _READ,
    "GET /jobs/{job_id}/poster.jpg": _READ,
    "GET /jobs/{job_id}/strip.jpg": _READ,
    "GET /jobs/{job_id}/side-by-side.mp4": _READ,
    "GET /jobs/{job_id}/webhooks": _READ,
    "POST /jobs/{job_id}/webhooks/{event_id}/resend": _WRITE,
    "GET /webhooks/dead": _READ,
    "OPTIONS /uploads": _OPEN,
    "POST /uploads": Rule((Scope.SUBMIT,), new_work=True, by_token=True),
    "HEAD /uploads/{upload_id}": _OWN_WRITE,
    "PATCH /uploads/{upload_id}": _OWN_WRITE,
    "DELETE /uploads/{upload_id}": _OWN_WRITE,
    "POST /upload-tokens": _SUBMIT,
    "GET /upload-tokens/{token_id}": _WRITE,
    "DELETE /upload-tokens/{token_id}": _WRITE,
}


def rule_of(method: str, path: str) -> Rule:
    """Returns the rule of a route by its template. HEAD is GET; a route without a rule is the administrator's alone."""
    named = RULES.get(f"{method} {path}")
    if named is None and method == "HEAD":
        named = RULES.get(f"GET {path}")
    return named or Rule((Scope.ADMIN,))


def admitted(request: Request, ring: KeyRing, rule: Rule) -> Caller:
    """Returns the caller if the rule lets them in, by key or by session.

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
    scheme, text = authorization(request)
    if not scheme:
        key = _in_session(request, ring)
        return Caller(key.tenant, key.scopes, key) if key else None
    key = ring.identify(text) if scheme == "bearer" else None
    if key is None:
        count_wrong_key(request)
        return None
    return Caller(key.tenant, key.scopes, key)


def authorization(request: Request) -> tuple[str, str]:
    """Returns the scheme of the header ``Authorization`` in lower case and what follows it; both empty without one."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return scheme.lower(), text.strip()


def count_wrong_key(request: Request) -> None:
    """Raises RateLimited if too many wrong keys came from the address of this one."""
    request.app.state.wrong_keys.count(request.client.host if request.client else "")


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
