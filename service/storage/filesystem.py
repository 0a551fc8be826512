"""Keeps the files of jobs in a directory that gateways and workers share.

    incoming/<random>/source     uploads that are still arriving or being probed
    jobs/<id>/source             the upload
    jobs/<id>/pieces/...         restored segments
    jobs/<id>/result.<container>, report.json
    trash/<random>               files that are being removed

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

from service.errors.storage import StorageFull
from service.storage.disk import claim_space, disk_errors, require_space
from service.storage.occupied import OccupiedDirectory, kept_free
from service.storage.store import PIECES, SOURCE, DownloadHeaders

_PRIVATE = 0o700
CLAIMED_BYTES = 4 << 20
"""Room that an upload of unknown length takes at a time: little beside any reserve, and one call for many writes."""
DRAFT_S = 24 * 3600.0
"""Seconds after its last change at which a file that was never published is a leftover."""
FLOOR = 8
"""The part of the reserve that is left by workers, too, as one in so many: for Redis, which may be on the same disk."""


class FilesystemUpload:
    """Writes an upload into a directory of its own; implements ``Upload``."""

    def __init__(self, job_id: str, directory: Path, home: Path, reserve: int) -> None:
        """Opens a file in ``directory``, which is renamed to ``home`` when the upload is kept.

        ``reserve``: bytes of the disk that stay free. Raises FileNotFoundError where a sweep has just removed it.
        """
        self._occupied = OccupiedDirectory(directory)
        self._job_id = job_id
        self._directory = directory
        self._home = home
        self._reserve = reserve
        self._claimed = 0
        self._digest = hashlib.sha256()
        self._size = 0
        try:
            self._file = self.contents().open("xb")
        except BaseException:
            self._occupied.leave()
            raise

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def size(self) -> int:
        return self._size

    def claim(self, size: int) -> None:
        """Takes room for ``size`` bytes in all. Raises StorageFull."""
        claim_space(self._file.fileno(), self.contents(), size, self._reserve)
        self._claimed = size

    def write(self, data: bytes) -> None:
        if self._size + len(data) > self._claimed:
            self.claim(self._size + len(data) + CLAIMED_BYTES)
        with disk_errors():
            self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def finish(self) -> str:
        with disk_errors():
            self._file.flush()
            self._file.truncate(self._size)  # gives back what was claimed beyond
            os.fsync(self._file.fileno())
        self._file.close()
        return self._digest.hexdigest()

    def take_source_of(self, job_id: str) -> None:
        """Links the file, which is never written again; copies it where the file system has no links."""
        source = self._home.with_name(job_id) / SOURCE
        with disk_errors():
            self._file.close()
            self.contents().unlink()
            try:
                self.contents().hardlink_to(source)
            except FileNotFoundError:
                raise
            except OSError:
                require_space(self._directory, source.stat().st_size, self._reserve)
                shutil.copyfile(source, self.contents())
            self._size = self.contents().stat().st_size

    def contents(self) -> Path:
        return self._directory / SOURCE

    def keep(self, job_id: str | None = None) -> None:
        home = self._home if job_id is None else self._home.with_name(job_id)
        with disk_errors():
            (self._directory / PIECES).mkdir(mode=_PRIVATE, exist_ok=True)
            try:
                self._directory.rename(home)
            except OSError as error:
                if error.errno == errno.ENOTEMPTY:  # what some systems call EEXIST
                    raise FileExistsError(f"Job {home.name} has a source.") from error
                raise

    def discard(self) -> None:
        with suppress(OSError):
            self._file.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._occupied.leave()


class FilesystemStorage:
    """Keeps files below ``root``; uploads leave ``reserve_bytes`` of the disk free. Implements ``Storage``."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        self._root = root.resolve()
        self._reserve = reserve_bytes
        self._incoming = self._root / "incoming"
        self._jobs = self._root / "jobs"
        self._trash = self._root / "trash"
        for directory in (self._root, self._incoming, self._jobs, self._trash):
            directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def begin_upload(self, job_id: str, expected_bytes: int) -> FilesystemUpload:
        with disk_errors(errno.ENOENT):
            require_space(self._root, expected_bytes, self._reserve)
            upload = self._new_upload(job_id)
        try:
            upload.claim(expected_bytes)
        except StorageFull:
            upload.discard()
            raise
        return upload

    def find(self, job_id: str, name: str, headers: DownloadHeaders | None = None) -> Path | None:  # noqa: ARG002
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
        """Publishes by a rename within the job's directory, which fails once the job was deleted."""
        require_space(self._root, 0, self._reserve // FLOOR)
        target = self._jobs / job_id / name
        draft = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
        try:
            with disk_errors():
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
        uploads = [(path, False) for path in self._incoming.iterdir()]
        jobs = [(path, True) for path in self._jobs.iterdir()]
        removed = 0
        for path, may_be_known in (*uploads, *jobs):
            with kept_free(path) as free:
                if free and _changed(path) <= latest and not (may_be_known and is_known(path.name)):
                    self._remove(path)
                    removed += 1
        for path in self._trash.iterdir():
            shutil.rmtree(path, ignore_errors=True)
        self._sweep_drafts()
        return removed

    def check(self) -> None:
        require_space(self._root, 0, self._reserve)
        probe = self._incoming / f".{secrets.token_hex(8)}"
        with disk_errors():
            probe.touch()
            probe.unlink(missing_ok=True)  # a sweep may have been quicker

    def _sweep_drafts(self) -> None:
        """Removes what killed workers had begun to write; nothing that is still being written is that old."""
        latest = time.time() - DRAFT_S
        for job in self._jobs.iterdir():
            for directory in (job, job / PIECES):
                with suppress(FileNotFoundError, NotADirectoryError):  # deleted meanwhile, or a stray file
                    for path in directory.iterdir():
                        if ".part" in path.name and _changed(path) <= latest:
                            path.unlink(missing_ok=True)

    def _new_upload(self, job_id: str) -> FilesystemUpload:
        while True:
            directory = self._incoming / secrets.token_hex(16)
            directory.mkdir(mode=_PRIVATE)
            with suppress(FileNotFoundError):  # A sweep came before the directory was occupied.
                return FilesystemUpload(job_id, directory, self._jobs / job_id, self._reserve)

    def _remove(self, path: Path) -> None:
        """Renames first, so that a task that still writes there fails instead of filling the directory again."""
        doomed = self._trash / secrets.token_hex(16)
        try:
            with disk_errors():
                path.rename(doomed)
        except FileNotFoundError:
            with disk_errors(errno.ENOENT):
                self._trash.stat()  # without it, what is missing is the whole disk
            return
        shutil.rmtree(doomed, ignore_errors=True)


def _changed(path: Path) -> float:
    """Returns when a directory or its source was last written, in Unix seconds; now for one that has just gone."""
    try:
        return max(entry.stat().st_mtime for entry in (path, path / SOURCE) if entry.exists())
    except (FileNotFoundError, ValueError):
        return time.time()
