"""Formats log lines: text for people, JSON for machines.

Both formats show the ids that ``log_context`` sets for all lines in its block, and those that ``extra={"job": ...}``
sets for one line.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_EXTRAS = (
    "request",
    "job",
    "step",
    "worker",
    "method",
    "route",
    "status",
    "ms",
    "bytes_in",
    "bytes_out",
    "key",
)
_CONTEXT: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039  # never changed in place


@contextmanager
def log_context(**ids: str | None) -> Iterator[None]:
    """Names ids in all log lines of this thread or task during the block, and of threads that are given its context."""
    known = {name: value for name, value in ids.items() if value is not None}
    token = _CONTEXT.set({**_CONTEXT.get(), **known})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def current_request() -> str | None:
    """Returns the id of the request that is being answered, or that made the job that is being worked on."""
    return _CONTEXT.get().get("request")


class RecurringWarning:
    """Warns of what lasts when it begins or changes, then once a minute. Safe to use from several threads."""

    PERIOD_S = 60.0

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._said = ""
        self._again_at = 0.0

    def say(self, message: str, *args: object) -> None:
        """Logs a message as ``Logger.warning`` does, unless it is the one of less than a minute ago."""
        text, now = message % args, time.monotonic()
        with self._lock:
            if text == self._said and now < self._again_at:
                return
            self._said, self._again_at = text, now + self.PERIOD_S
        self._log.warning("%s", text)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extras = _extras(record)
        return f"{line} [{' '.join(f'{name}={value}' for name, value in extras.items())}]" if extras else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def _extras(record: logging.LogRecord) -> dict[str, str]:
    known = {**_CONTEXT.get(), **vars(record)}
    return {name: str(known[name]) for name in _EXTRAS if name in known}


def configure_logging(log_format: str, level: str) -> None:
    """Sends log lines from ``level`` up to stderr, as ``text`` or ``json``; replaces earlier handlers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for verbose in ("kombu", "celery.redirected", "amqp"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
