"""A file appears under its name complete, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; rename it to ``target`` on success, remove it on any error.

    The name is new each time, so that two tasks that do the same work do not write into one file.
    """
    part = target.with_name(f"{target.name}.{uuid4().hex}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
