"""Where the bytes are. Redis knows jobs; this knows files, and nothing of what is in them.

A job's files have names: its source, the pieces of its segments, its result and its report.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.types import RemoteFile, Segment

SOURCE = "source"
REPORT = "report.json"
CURVE = "sharpness.json"
HEAT_MAPS = "prior.zip"
PIECES = "pieces"


def piece_name(segment: Segment) -> str:
    """The name says what the piece holds; the job fixes everything else."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.mp4"


def curve_name(segment: Segment) -> str:
    """Lies beside the segment's piece and goes with it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.json"


def heat_maps_name(segment: Segment) -> str:
    """Lies beside the segment's piece and goes with it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.zip"


def partial_name(container: str) -> str:
    """What a canceled job leaves; among the pieces, so that it goes with them once there is a whole result."""
    return f"{PIECES}/partial.{container}"


def result_name(container: str) -> str:
    return f"result.{container}"


@dataclass(frozen=True)
class Shown:
    """What a client that downloads a file is told about it."""

    media_type: str
    disposition: str
    """The Content-Disposition header, with the name that the file is saved under."""


class Upload(Protocol):
    """A job's source that is still arriving. Exactly one of ``keep`` and ``discard`` ends it."""

    @property
    def job_id(self) -> str:
        """The job that it will belong to."""
        ...

    @property
    def size(self) -> int:
        """Bytes so far."""
        ...

    def write(self, data: bytes) -> None:
        """Append. Raises StorageFull and StorageUnavailable."""
        ...

    def finish(self) -> str:
        """All bytes are there and safe; returns their SHA-256 in hex. Raises as ``write`` does."""
        ...

    def contents(self) -> Path | RemoteFile:
        """The finished upload, to be looked at before it is kept; no name holds anything of the client's."""
        ...

    def keep(self) -> None:
        """Make the finished upload the source of its job, atomically."""
        ...

    def discard(self) -> None:
        """Remove every trace. Does nothing after ``keep``; safe to call twice; raises nothing."""
        ...


class Storage(Protocol):
    """Files of jobs. Whatever is found under its name is complete.

    All methods but ``check`` may raise StorageUnavailable where the bytes are on another machine.
    """

    def begin_upload(self, job_id: str, expected_bytes: int) -> Upload:
        """Make room for a job's source. Raises StorageFull when ``expected_bytes`` would not leave the reserve."""
        ...

    def find(self, job_id: str, name: str, shown: Shown | None = None) -> Path | RemoteFile | None:
        """A file to pass on, or None where there is none (yet, or any more).

        The address of a remote file answers with what ``shown`` says.
        """
        ...

    def reading(self, job_id: str, name: str) -> AbstractContextManager[Path]:
        """The file as a local one, which stays until the block ends.

        Raises FileNotFoundError, and StorageFull where a local copy is needed and can never fit.
        """
        ...

    def writing(self, job_id: str, name: str) -> AbstractContextManager[Path]:
        """Where to put a complete file: it has its name for everyone once the block ends without an error.

        Raises FileNotFoundError at the latest then if the job's files were removed; they do not come back.
        """
        ...

    def drop_pieces(self, job_id: str) -> None:
        """Remove the restored segments, once the result holds them. Safe to call twice."""
        ...

    def delete(self, job_id: str) -> None:
        """Remove all files of a job, its source first. Safe to call twice."""
        ...

    def sweep(self, is_known: Callable[[str], bool], older_than_s: float) -> int:
        """Remove abandoned uploads and files of unknown jobs that are old enough; returns how many."""
        ...

    def check(self) -> None:
        """Raise StorageFull, StorageUnavailable or OSError unless files can be written now."""
        ...
