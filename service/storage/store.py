"""Where the bytes are. Redis knows jobs; this knows files, and nothing of what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Upload(Protocol):
    """A file that is still arriving. Nobody else sees it; exactly one of ``keep`` and ``discard`` ends it."""

    @property
    def path(self) -> Path:
        """Where the bytes are so far: a name without anything of the client's."""
        ...

    @property
    def size(self) -> int:
        """Bytes so far."""
        ...

    def write(self, data: bytes) -> None:
        """Append. Raises StorageFull."""
        ...

    def finish(self) -> str:
        """All bytes are there and on disk; returns their SHA-256 in hex. Raises StorageFull."""
        ...

    def keep(self, job_id: str) -> None:
        """Make the finished upload the source of a job, atomically."""
        ...

    def discard(self) -> None:
        """Remove every trace. Does nothing after ``keep``; safe to call twice."""
        ...


class Storage(Protocol):
    """Files of jobs. Writers publish atomically: a file that has its final name is complete."""

    def begin_upload(self, expected_bytes: int) -> Upload:
        """Make room for an upload. Raises StorageFull when ``expected_bytes`` would not leave the reserve."""
        ...

    def source(self, job_id: str) -> Path:
        """The uploaded video."""
        ...

    def pieces(self, job_id: str) -> Path:
        """The directory of the restored segments; exists as long as the job's files do."""
        ...

    def drop_pieces(self, job_id: str) -> None:
        """Remove the restored segments, once the result holds them. Safe to call twice."""
        ...

    def result(self, job_id: str, container: str) -> Path:
        """Where the finished video is, or will be."""
        ...

    def report(self, job_id: str) -> Path:
        """Where the report is, or will be."""
        ...

    def delete(self, job_id: str) -> None:
        """Remove all files of a job at once, as others see it; they do not come back. Safe to call twice."""
        ...

    def sweep(self, is_known: Callable[[str], bool], older_than_s: float) -> int:
        """Remove abandoned uploads and files of unknown jobs that are old enough; returns how many."""
        ...

    def check(self) -> None:
        """Raise StorageFull or OSError unless files can be written now."""
        ...
