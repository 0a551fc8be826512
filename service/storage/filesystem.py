"""Storage in a directory that gateway and workers share.

    incoming/<random>/source     uploads that are still arriving or being looked at
    jobs/<id>/source             the upload
    jobs/<id>/pieces/...         restored segments
    jobs/<id>/result.<container>, report.json
    trash/<random>               being removed

Everything is on one file system, so that a rename publishes and unpublishes atomically.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.errors import StorageFull
from service.storage.store import PIECES, SOURCE, Shown

_PRIVATE = 0o700


class FilesystemUpload:
    """An upload in a directory of its own."""

    def __init__(self, job_id: str, directory: Path, home: Path) -> None:
        """``directory`` becomes ``home`` when the upload is kept."""
        self._job_id = job_id
        self._directory = directory
        self._home = home
        self._digest = hashlib.sha256()
        self._size = 0
        self._file = self.contents().open("xb")

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def size(self) -> int:
        return self._size

    def write(self, data: bytes) -> None:
        with full_disk():
            self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def finish(self) -> str:
        with full_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        return self._digest.hexdigest()

    def contents(self) -> Path:
        return self._directory / SOURCE

    def keep(self) -> None:
        (self._directory / PIECES).mkdir(mode=_PRIVATE)
        self._directory.rename(self._home)

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()
        shutil.rmtree(self._directory, ignore_errors=True)


class FilesystemStorage:
    """Storage below ``root``; ``reserve_bytes`` of the disk are left free by uploads."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        self._root = root.resolve()
        self._reserve = reserve_bytes
        self._incoming = self._root / "incoming"
        self._jobs = self._root / "jobs"
        self._trash = self._root / "trash"
        for directory in (self._root, self._incoming, self._jobs, self._trash):
            directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def begin_upload(self, job_id: str, expected_bytes: int) -> FilesystemUpload:
        self._check_space(expected_bytes)
        directory = self._incoming / secrets.token_hex(16)
        with full_disk():
            directory.mkdir(mode=_PRIVATE)
            return FilesystemUpload(job_id, directory, self._jobs / job_id)

    def find(self, job_id: str, name: str, shown: Shown | None = None) -> Path | None:  # noqa: ARG002
        path = self._jobs / job_id / name
        return path if path.is_file() else None

    @contextmanager
    def reading(self, job_id: str, name: str) -> Iterator[Path]:
        path = self.find(job_id, name)
        if path is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{job_id}/{name}")
        yield path

    @contextmanager
    def writing(self, job_id: str, name: str) -> Iterator[Path]:
        """The final place in a directory of its own that vanishes with the job: a rename publishes."""
        target = self._jobs / job_id / name
        draft = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
        try:
            yield draft
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def drop_pieces(self, job_id: str) -> None:
        self._remove(self._jobs / job_id / PIECES)

    def delete(self, job_id: str) -> None:
        self._remove(self._jobs / job_id)

    def sweep(self, is_known: Callable[[str], bool], older_than_s: float) -> int:
        latest = time.time() - older_than_s
        uploads = [path for path in self._incoming.iterdir() if _changed(path) <= latest]
        orphans = [
            path for path in self._jobs.iterdir() if _changed(path) <= latest and not is_known(path.name)
        ]
        for path in (*uploads, *orphans):
            self._remove(path)
        for path in self._trash.iterdir():
            shutil.rmtree(path, ignore_errors=True)
        return len(uploads) + len(orphans)

    def check(self) -> None:
        self._check_space(0)
        probe = self._incoming / f".{secrets.token_hex(8)}"
        with full_disk():
            probe.touch()
            probe.unlink()

    def _check_space(self, wanted: int) -> None:
        free = shutil.disk_usage(self._root).free
        if free < wanted + self._reserve:
            raise StorageFull(
                f"{free} bytes are free; {wanted} are needed and {self._reserve} stay free; try again later"
            )

    def _remove(self, path: Path) -> None:
        """Rename first: whoever still writes there fails, instead of filling a doomed directory."""
        doomed = self._trash / secrets.token_hex(16)
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)


def _changed(path: Path) -> float:
    """When anything in a directory last came or went; an upload's file is touched by every write."""
    try:
        return max(entry.stat().st_mtime for entry in (path, path / SOURCE) if entry.exists())
    except (FileNotFoundError, ValueError):
        return time.time()


@contextmanager
def full_disk() -> Iterator[None]:
    """Turn an error of a disk without room into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull("the disk of the service is full; try again later") from error
