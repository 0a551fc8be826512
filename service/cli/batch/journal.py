"""Remembers, from one run of a command to the next, what was begun at a service and how results were made.

Each entry is a small file below ``$XDG_STATE_HOME/cdvd``. Nothing but time is lost where they cannot be kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

BEGUN_KEPT_S = 7 * 86400
"""For as long as services keep the files of a job, unless they are set up otherwise."""
MADE_KEPT_S = 365 * 86400

Entry = TypeVar("Entry", "Begun", "Made")


@dataclass(frozen=True)
class Begun:
    """A video on its way through a service. One key: however often it is sent, it makes one job."""

    key: str
    output: str
    """Where the result goes; "" where none is fetched."""
    upload: str | None = None
    """The resumable upload, once there is one."""
    job: str | None = None


@dataclass(frozen=True)
class Made:
    """What a result was made of, and the file as it was then."""

    source: str
    """The ``identity_of`` the video."""
    options: Mapping[str, Any]
    bytes: int
    mtime_ns: int


def state_directory() -> Path:
    """Returns where the command keeps what it has to remember: ``$XDG_STATE_HOME/cdvd``."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "cdvd"


def identity_of(files: Sequence[Path], *more: str) -> str:
    """Returns a digest that is another one as soon as a file is written, or is another file. Raises OSError."""
    stats = [(str(file.resolve()), file.stat()) for file in files]
    return digest_of([*((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats), *more])


def digest_of(parts: Any) -> str:
    """Returns a digest of what JSON can hold."""
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Journal:
    """The entries of one user. ``url`` is the service that videos go to; "" stands for one that lives shortly."""

    def __init__(self, url: str = "", directory: Path | None = None) -> None:
        root = directory or state_directory()
        self._url = url.rstrip("/")
        self._begun, self._made = root / "begun", root / "made"
        _sweep(self._begun, BEGUN_KEPT_S)
        _sweep(self._made, MADE_KEPT_S)

    def begun(self, source: str, fields: Mapping[str, str]) -> Begun | None:
        """Returns what was begun of a video with these options and has not ended; ``source`` is its identity."""
        return _read(self._place(source, fields), Begun)

    def note(self, source: str, fields: Mapping[str, str], begun: Begun) -> None:
        """Remembers how far a video is."""
        _write(self._place(source, fields), begun)

    def forget(self, source: str, fields: Mapping[str, str]) -> None:
        """Forgets a video that has ended for good."""
        with suppress(OSError):
            self._place(source, fields).unlink(missing_ok=True)

    def made(self, output: Path) -> Made | None:
        """Returns how a result was made; None for a file that is not known, or was written since."""
        made = _read(self._result(output), Made)
        stat = output.stat()
        return made if made and (made.bytes, made.mtime_ns) == (stat.st_size, stat.st_mtime_ns) else None

    def record(self, output: Path, source: str, options: Mapping[str, Any]) -> None:
        """Remembers how the result that is there now was made."""
        stat = output.stat()
        _write(self._result(output), Made(source, options, stat.st_size, stat.st_mtime_ns))

    def _place(self, source: str, fields: Mapping[str, str]) -> Path:
        return self._begun / f"{digest_of([self._url, source, dict(sorted(fields.items()))])}.json"

    def _result(self, output: Path) -> Path:
        return self._made / f"{digest_of([str(output.resolve())])}.json"


def _read(path: Path, kind: type[Entry]) -> Entry | None:
    """Returns an entry; None where there is none, or one that another version wrote."""
    with suppress(OSError, ValueError, TypeError):
        return kind(**json.loads(path.read_text("utf-8")))
    return None


def _write(path: Path, entry: Begun | Made) -> None:
    """Replaces an entry at once: whoever is killed in the midst leaves the old one."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text(json.dumps(asdict(entry)), "utf-8")
        new.replace(path)


def _sweep(folder: Path, kept_s: float) -> None:
    """Removes entries that are so old that nobody comes back to them."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.stat().st_mtime < time.time() - kept_s:
                path.unlink(missing_ok=True)
