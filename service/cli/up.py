"""``cdvd up``: the embedded stack in the foreground."""

from __future__ import annotations

from service.cli.console import say
from service.embedded import EmbeddedOptions, EmbeddedStack


def serve(options: EmbeddedOptions) -> None:
    """Run until interrupted, which is the normal end; raise ServiceError when a part of the stack dies."""
    try:
        with EmbeddedStack(options) as stack:
            say(f"Page and API: {stack.url}/")
            say(f"Jobs and videos are kept in {options.data.resolve()}. Ctrl-C stops.")
            stack.wait()
    except (KeyboardInterrupt, SystemExit):  # the stack turns SIGTERM into SystemExit
        say("Stopped.")
