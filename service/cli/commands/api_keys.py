"""``cdvd keys`` and ``cdvd webhook-secret``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import JsonFlag

commands = typer.Typer(no_args_is_help=True, help="Make, list and revoke the keys that a service asks for.")

Data = Annotated[
    Path | None,
    typer.Option(
        help="Data directory of `cdvd up`, which may run or not; the default is CDVD_DATA, or else "
        "./cdvd-data. With CDVD_REDIS_URL, the service at that Redis.",
        file_okay=False,
    ),
]


@commands.command()
def create(  # noqa: PLR0913  # one parameter per option
    name: Annotated[str, typer.Argument(help="Whom or what the key is for, to recognize it by.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="submit, read, metrics or admin; may be repeated. Without it, submit and read."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Tenants do not see each other's jobs.")] = "default",
    rate: Annotated[str | None, typer.Option(metavar="N/min", help="Most submissions a minute.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Most unfinished jobs at a time.", min=1)] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", help="Most bytes of uploads and results that are kept.", min=1)
    ] = None,
    expires: Annotated[
        float | None,
        typer.Option(metavar="DAYS", help="Days until the key expires; without it, never.", min=0),
    ] = None,
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and print it, this once: only its hash is kept. From the first key on, a key is asked for."""
    from service.cli.actions.api_keys import KeyRequest, create_key

    request = KeyRequest(name, tuple(scope or ("submit", "read")), tenant, rate, jobs, size, expires)
    create_key(request, data, as_json=as_json)


@commands.command("list")
def list_keys(data: Data = None, as_json: JsonFlag = False) -> None:
    """List keys without their secrets, revoked ones too."""
    from service.cli.actions.api_keys import print_keys

    print_keys(data, as_json=as_json)


@commands.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The beginning of the key, as `cdvd keys list` shows it.")],
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Refuse a key from the next request on. Its jobs stay its tenant's."""
    from service.cli.actions.api_keys import revoke_key

    revoke_key(prefix, data, as_json=as_json)


def webhook_secret(
    tenant: Annotated[str, typer.Option(help="The tenant whose webhooks are signed.")] = "default",
    data: Data = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the secret that a tenant's webhooks are signed with, for those who check them."""
    from service.cli.actions.api_keys import print_webhook_secret

    print_webhook_secret(tenant, data, as_json=as_json)
