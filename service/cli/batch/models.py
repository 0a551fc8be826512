"""Checks the models that are asked for by name, before a video is sent or an engine loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection

import typer

from service.client import Client


def require_models(wanted: Collection[str | None], available: Callable[[], list[str]]) -> None:
    """Raises BadParameter for a model that is not there; None is the usual one."""
    names = {name for name in wanted if name}
    if names and (missing := names.difference(there := available())):
        known = f"there are: {', '.join(there)}" if there else "none is installed"
        raise typer.BadParameter(f"There is no model {min(missing)!r}; {known}.", param_hint="'--model'")


def models_at(client: Client) -> list[str]:
    """Returns the names of the models of a running service. Raises ClientError."""
    return [str(model["name"]) for model in client.models()]
