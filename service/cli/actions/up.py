"""Runs the embedded stack in the foreground."""

from __future__ import annotations

import os

from service.cli.output.lines import note, say, say_json
from service.embedded import EmbeddedOptions, EmbeddedStack


def serve(options: EmbeddedOptions, *, as_json: bool) -> None:
    """Serves until interrupted, which is the normal end. Raises ServiceError when a part of the stack dies."""
    try:
        with EmbeddedStack(options) as stack:
            data = options.data.resolve()
            if as_json:
                say_json({"url": stack.url, "data": str(data), "pid": os.getpid()})
            else:
                say(f"Page and API: {stack.url}/")
                say(f"Jobs and videos are kept in {data}. Ctrl-C stops.")
            stack.wait()
    except (KeyboardInterrupt, SystemExit):  # the stack turns SIGTERM into SystemExit
        (note if as_json else say)("Stopped.")
