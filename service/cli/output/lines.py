"""Prints lines: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(line: str) -> None:
    """Prints one line of a result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # a service's address is wanted while it runs, also through a pipe


def note(line: str) -> None:
    """Prints one line that is no result."""
    sys.stderr.write(line + "\n")


def complain(message: str) -> None:
    """Prints an error as one line, whatever line breaks the message has."""
    note(f"cdvd: {' '.join(message.split())}")


def say_json(value: Any) -> None:
    """Prints a result as an indented JSON document."""
    say(json.dumps(value, indent=2))


def say_json_line(value: Any) -> None:
    """Prints one of several results as JSON on a line of its own."""
    say(json.dumps(value))
