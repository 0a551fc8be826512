"""Runs the embedded stack in the foreground."""

from __future__ import annotations

import os
import sys

import httpx

from service.cli.output.lines import note, say, say_json
from service.config import Settings
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.local.address import is_loopback
from service.tenancy.first_key import make_first_key


def serve(options: EmbeddedOptions, *, first_key: bool, as_json: bool) -> None:
    """Serves until interrupted, which is the normal end. Raises ServiceError when a part of the stack dies.

    ``first_key`` makes and shows a key where other machines reach the service and it has none.
    """
    key = _first_key(options) if first_key else None
    if key:  # before anything can go wrong: it is kept nowhere
        (note if as_json else say)(f"The API key, which is shown only now: {key}")
    if sys.stderr.isatty():  # for people, who wait: a first start measures what is fastest here
        note("Starting the service; the first start takes longer ...")
    try:
        with EmbeddedStack(options) as stack:
            data, lines = options.data.resolve(), _runs_on(stack.url)
            if as_json:
                told = {"url": stack.url, "data": str(data), "pid": os.getpid(), "key": key}
                say_json({**told, "runs_on": lines})
            else:
                say(f"Page and API: {stack.url}/")
                for line in lines:
                    say(f"{line}.")
                say(f"Jobs and videos are kept in {data}. Ctrl-C stops.")
            if stack.read_only:
                note(f"Uploads wait, everything else works: {stack.read_only}")
            stack.wait()
    except (KeyboardInterrupt, SystemExit):  # the stack turns SIGTERM into SystemExit
        (note if as_json else say)("Stopped.")


def _runs_on(url: str) -> list[str]:
    """Returns a sentence for each model that is loaded: where it runs, and why."""
    try:
        workers = httpx.get(f"{url}/readyz", trust_env=False).json()["workers"]
    except (httpx.HTTPError, KeyError):  # not ready any more, which the stack will tell
        return []
    return [placement["line"] for worker in workers for placement in worker["placements"]]


def _first_key(options: EmbeddedOptions) -> str | None:
    if is_loopback(options.host) or options.allow_unauthenticated or Settings().allow_unauthenticated:
        return None
    return make_first_key(options.data)
