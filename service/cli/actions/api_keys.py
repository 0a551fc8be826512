"""Makes, lists and revokes keys, and prints what webhooks are signed with.

Works on Redis directly: whoever reaches that is the operator, and the first key cannot be asked for with a key.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import typer

from service.cli.output.lines import note, say, say_json
from service.config import Settings
from service.local.redis_run import redis_of
from service.redis_state.connection import connect, is_answering
from service.tenancy.api_keys import DEFAULT_TENANT, ApiKey, KeyLimits, KeyRing, Scope
from service.webhooks.deliveries import DeliveryStore

REDIS_VARIABLE = "CDVD_REDIS_URL"
DAY_S = 86400


@dataclass(frozen=True)
class KeyRequest:
    """A key as the command line asks for it; None is without a limit."""

    name: str
    scopes: tuple[str, ...]
    tenant: str
    rate: str | None = None
    """Submissions a minute, such as ``10/min``."""
    jobs: int | None = None
    bytes: int | None = None
    expires_days: float | None = None


def create_key(request: KeyRequest, data: Path | None, *, as_json: bool) -> None:
    """Makes a key and prints its whole text. Raises BadParameter for what no key can be."""
    scopes = _scopes(request.scopes)
    limits = KeyLimits(_per_minute(request.rate), request.jobs, request.bytes)
    expires_at = None if request.expires_days is None else time.time() + request.expires_days * DAY_S
    with _redis(data) as client:
        try:
            key, text = KeyRing(client).create(request.name, scopes, request.tenant, limits, expires_at)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--tenant'") from error
    if as_json:
        say_json({"key": text, **_to_json(key)})
    else:
        say(text)
        note("This is the only time that this key is shown.")


def print_keys(data: Path | None, *, as_json: bool) -> None:
    """Prints all keys, oldest first, revoked ones too."""
    with _redis(data) as client:
        keys = [_to_json(key) for key in KeyRing(client).all()]
    if as_json:
        say_json({"keys": keys})
        return
    if not keys:
        note("There are no keys, so none is asked for.")
    for key in keys:
        say(_line(key))


def revoke_key(prefix: str, data: Path | None, *, as_json: bool) -> None:
    """Revokes the key with this prefix; a whole key serves as well. Raises KeyNotFound."""
    with _redis(data) as client:
        key = KeyRing(client).revoke(prefix.removeprefix("cdvd_").partition("_")[0])
    say_json(_to_json(key)) if as_json else say(f"{key.prefix} ({key.name}) is revoked.")


def print_webhook_secret(tenant: str, data: Path | None, *, as_json: bool) -> None:
    """Prints the secret of a tenant's webhooks: the one in the settings, or the one kept in Redis."""
    configured = Settings().webhook_secret
    if configured is not None and tenant == DEFAULT_TENANT:
        secret = configured.get_secret_value()
    else:
        with _redis(data) as client:
            secret = DeliveryStore(client).secret(tenant)
    say_json({"tenant": tenant, "secret": secret}) if as_json else say(secret)


@contextmanager
def _redis(data: Path | None) -> Iterator[redis.Redis]:
    """Connects to the Redis of a data directory, or to the one that the environment names."""
    if data is None and REDIS_VARIABLE in os.environ:
        with connect(Settings().broker) as client:
            yield client
        return
    directory = data or Settings().data
    if data is None and not directory.is_dir():
        raise typer.BadParameter(
            f"There is no directory {directory} here; name that of the service.", param_hint="'--data'"
        )
    with redis_of(directory.resolve(), is_answering) as url, connect(url) as client:
        yield client


def _scopes(names: tuple[str, ...]) -> frozenset[Scope]:
    try:
        return frozenset(map(Scope, names))
    except ValueError as error:
        allowed = ", ".join(Scope)
        raise typer.BadParameter(f"{error}; it is one of {allowed}.", param_hint="'--scope'") from error


def _per_minute(rate: str | None) -> int | None:
    if rate is None:
        return None
    number, _, unit = rate.partition("/")
    if not number.isdecimal() or int(number) < 1 or unit not in ("", "min"):
        raise typer.BadParameter(f"{rate!r} is not a rate such as 10/min.", param_hint="'--rate'")
    return int(number)


def _to_json(key: ApiKey) -> dict[str, Any]:
    times = {name: _time(getattr(key, name)) for name in ("created_at", "expires_at", "revoked_at")}
    return {**asdict(key), **times, "scopes": sorted(key.scopes), "valid": key.valid}


def _line(key: dict[str, Any]) -> str:
    limits = " ".join(f"{name}={limit}" for name, limit in key["limits"].items() if limit is not None)
    state = "valid" if key["valid"] else "revoked" if key["revoked_at"] else "expired"
    scopes = ",".join(key["scopes"])
    return f"{key['prefix']}  {state:<8} {key['tenant']:<12} {scopes:<14} {key['name']}  {limits}"


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
