"""``cdvd keys``: makes, lists and revokes keys, and shows what webhooks are signed with. Works on Redis directly:
whoever reaches that is the operator, and the first key cannot be asked for with a key.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.options import JsonFlag

DEFAULT_DATA = "cdvd-data"
REDIS_VARIABLE = "CDVD_REDIS_URL"
DAY_S = 86400

commands = typer.Typer(no_args_is_help=True, help="Who may use a service: make, list and revoke keys.")

Data = Annotated[
    Path | None,
    typer.Option(
        help="Data directory of `cdvd up`, which may run or not; the default is ./cdvd-data. With CDVD_REDIS_URL, the "
        "service at that Redis.",
        file_okay=False,
    ),
]


@commands.command()
def create(  # noqa: PLR0913  # one parameter per option
    name: Annotated[str, typer.Argument(help="Whose or what for, to recognise it by.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="submit, read, metrics or admin; more than once. submit and read."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Tenants do not see each other's jobs.")] = "default",
    rate: Annotated[str | None, typer.Option(metavar="N/min", help="Submissions.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Unfinished jobs at a time.", min=1)] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", help="Uploads and results that are kept.", min=1)
    ] = None,
    expires: Annotated[float | None, typer.Option(metavar="DAYS", help="Never, unless given.", min=0)] = None,
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and print it, this once: only its hash is kept. From the first key on, a key is asked for."""
    from service.cli.console import note, say, say_json
    from service.tenancy.api_keys import KeyLimits, Scope

    try:
        scopes = frozenset(map(Scope, scope or ["submit", "read"]))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--scope'") from error
    limits = KeyLimits(_per_minute(rate), jobs, size)
    until = None if expires is None else time.time() + expires * DAY_S
    with _ring(data) as ring:
        try:
            key, text = ring.create(name, scopes, tenant, limits, until)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'--tenant'") from error
    if as_json:
        say_json({"key": text, **_shown(key)})
    else:
        say(text)
        note("This is the only time that this key is shown.")


@commands.command("list")
def list_keys(data: Data = None, as_json: JsonFlag = False) -> None:
    """List keys without their secrets, revoked ones too."""
    from service.cli.console import say, say_json

    with _ring(data) as ring:
        found = [_shown(key) for key in ring.all()]
    if as_json:
        say_json({"keys": found})
        return
    for key in found:
        limits = " ".join(f"{what}={most}" for what, most in key["limits"].items() if most is not None)
        state = "valid" if key["valid"] else "revoked" if key["revoked_at"] else "expired"
        say(
            f"{key['prefix']}  {state:<8} {key['tenant']:<12} {','.join(key['scopes']):<14} {key['name']}  {limits}"
        )


@commands.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="As `cdvd keys list` shows it.")],
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Refuse a key from the next request on. Its jobs stay its tenant's."""
    from service.cli.console import say, say_json

    with _ring(data) as ring:
        key = ring.revoke(prefix.removeprefix("cdvd_").partition("_")[0])
    say_json(_shown(key)) if as_json else say(f"{key.prefix} ({key.name}) is revoked.")


def webhook_secret(
    tenant: Annotated[str, typer.Option(help="Whose webhooks.")] = "default",
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Print what a tenant's webhooks are signed with, for those who check them."""
    from service.cli.console import say, say_json
    from service.config import Settings
    from service.tenancy.api_keys import DEFAULT_TENANT
    from service.webhooks.deliveries import DeliveryStore

    given = Settings().webhook_secret
    if given is not None and tenant == DEFAULT_TENANT:
        secret = given.get_secret_value()
    else:
        with _redis(data) as client:
            secret = DeliveryStore(client).secret(tenant)
    say_json({"tenant": tenant, "secret": secret}) if as_json else say(secret)


@contextmanager
def _redis(data: Path | None) -> Iterator[Any]:
    from service.config import Settings
    from service.local.redis_run import redis_of
    from service.redis_state.connection import connect, is_answering

    if data is None and REDIS_VARIABLE in os.environ:
        with connect(Settings().broker) as client:
            yield client
        return
    directory = (data or Path(DEFAULT_DATA)).resolve()
    if data is None and not directory.is_dir():
        raise typer.BadParameter(
            f"there is no ./{DEFAULT_DATA}; name the service's data directory", param_hint="'--data'"
        )
    with redis_of(directory, is_answering) as url, connect(url) as client:
        yield client


@contextmanager
def _ring(data: Path | None) -> Iterator[Any]:
    from service.tenancy.api_keys import KeyRing

    with _redis(data) as client:
        yield KeyRing(client)


def _per_minute(rate: str | None) -> int | None:
    if rate is None:
        return None
    number, _, unit = rate.partition("/")
    if not number.isdecimal() or int(number) < 1 or unit not in ("", "min"):
        raise typer.BadParameter(f"{rate!r} is not such as 10/min", param_hint="'--rate'")
    return int(number)


def _shown(key: Any) -> dict[str, Any]:
    from dataclasses import asdict

    times = {name: _time(getattr(key, name)) for name in ("created_at", "expires_at", "revoked_at")}
    return {**asdict(key), **times, "scopes": sorted(key.scopes), "valid": key.valid}


def _time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
