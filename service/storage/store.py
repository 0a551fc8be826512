"""Keeps the files of jobs under names: the source, the pieces of its segments, the result, the report and others.

Redis knows the state of jobs; storage knows files, and nothing of what is in them.
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
FRAMES = "frames.json"
"""When the frames appear: written by the first who asks, because reading it from the video takes a process."""
PIECES = "pieces"
NEWEST = f"{PIECES}/newest.zip"
"""Pictures of the newest restored frame, replaced as the work goes on; removed with the pieces."""


STRIP = "strip.jpg"
SIDE_BY_SIDE = "side-by-side.mp4"


def poster_name(side: int) -> str:
    """Names the picture that stands for the upload in lists, by the pixels of its longer side."""
    return f"poster-{side}.jpg"


def piece_name(segment: Segment) -> str:
    """Names the restored segment by the frames that it holds; the job fixes everything else about it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.mp4"


def curve_name(segment: Segment) -> str:
    """Names a segment's part of the sharpness curve, which lies beside the piece and is removed with it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.json"


def findings_name(segment: Segment) -> str:
    """Names what was found while a segment was restored; it lies beside the piece and is removed with it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.findings.json"


def heat_maps_name(segment: Segment) -> str:
    """Names a segment's heat maps, which lie beside the piece and are removed with it."""
    return f"{PIECES}/{segment.index:05d}_{segment.start}-{segment.stop}.zip"


def partial_name(container: str) -> str:
    """Names the video that a canceled job leaves; it is removed with the pieces once there is a whole result."""
    return f"{PIECES}/partial.{container}"


def result_name(container: str) -> str:
    """Names the finished video."""
    return f"result.{container}"


@dataclass(frozen=True)
class DownloadHeaders:
    """The headers with which a file is handed to a client."""

    media_type: str
    """The Content-Type."""
    disposition: str
    """The Content-Disposition, with the name under which a browser saves the file."""


class Upload(Protocol):
    """Takes a job's source while it arrives; kept or not, ``discard`` ends the upload."""

    @property
    def job_id(self) -> str:
        """The job that the upload will belong to."""
        ...

    @property
    def size(self) -> int:
        """Bytes that have arrived so far."""
        ...

    def write(self, data: bytes) -> None:
        """Appends ``data``. Raises StorageFull and StorageUnavailable."""
        ...

    def finish(self) -> str:
        """Makes all bytes durable and returns their SHA-256 in hex. Raises what ``write`` raises."""
        ...

    def take_source_of(self, job_id: str) -> None:
        """Makes the source of another job the whole upload, in place of ``write`` and ``finish``.

        It stays when the files of that job are removed. Raises FileNotFoundError where they are, StorageFull and
        StorageUnavailable.
        """
        ...

    def contents(self) -> Path | RemoteFile:
        """Returns the finished upload, to be probed before it is kept. Its name holds nothing that the client chose."""
        ...

    def keep(self, job_id: str | None = None) -> None:
        """Makes the finished upload the source of its job, atomically, or of ``job_id``.

        Raises FileExistsError where that one has a source. It stays: it may belong to another writer by now.
        """
        ...

    def discard(self) -> None:
        """Removes every trace of the upload, or after ``keep`` nothing; may be called twice; raises nothing.

        Until then no sweep removes the files, so it is called in any case, once the job is on record.
        """
        ...


class Storage(Protocol):
    """Reads and writes the files of jobs. A file that is found under its name is complete.

    All methods may raise StorageUnavailable where the bytes are on another machine.
    """

    def begin_upload(self, job_id: str, expected_bytes: int) -> Upload:
        """Begins the upload of a job's source.

        Raises StorageFull where ``expected_bytes`` would not leave the reserve of the disk.
        """
        ...

    def find(
        self, job_id: str, name: str, headers: DownloadHeaders | None = None
    ) -> Path | RemoteFile | None:
        """Returns a file to hand to a client, or None where there is none (yet, or any more).

        The address of a remote file answers with ``headers``.
        """
        ...

    def reading(self, job_id: str, name: str) -> AbstractContextManager[Path]:
        """Gives the path of a local file, which stays until the block ends.

        Raises FileNotFoundError, and LocalCopiesTooSmall where a local copy is needed and can never fit.
        """
        ...

    def writing(self, job_id: str, name: str) -> AbstractContextManager[Path]:
        """Gives a path to write a file to; it is published under ``name`` once the block ends without an error.

        After an error nothing of it is left, and an earlier file of that name stays. The path is new each time, so
        that two tasks that do the same work do not write into one file.
        Raises FileNotFoundError, at the end of the block at the latest, if the files of the job were removed, and
        StorageFull where the disk has no room, whatever the block made of that.
        """
        ...

    def drop_pieces(self, job_id: str) -> None:
        """Removes the restored segments, once the result holds them. May be called twice."""
        ...

    def delete(self, job_id: str) -> None:
        """Removes all files of a job, its source first. May be called twice."""
        ...

    def sweep(self, is_known: Callable[[str], bool], older_than_s: float) -> int:
        """Removes abandoned uploads and files of unknown jobs; returns how many.

        Only what has not changed for ``older_than_s`` seconds is removed, and no upload whose process is alive.
        """
        ...

    def check(self) -> None:
        """Raises StorageFull, StorageUnavailable or OSError unless files can be written now."""
        ...
