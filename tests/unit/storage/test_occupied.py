from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

import pytest

from service.storage.filesystem import FilesystemStorage
from service.storage.occupied import UNLOCKED_S, OccupiedDirectory, kept_free
from service.storage.scratch import Scratch


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS, which locks a directory for readers alone."""

    def refuse(_: int, kind: int) -> None:
        if kind & fcntl.LOCK_EX:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(fcntl, "flock", refuse)


def rested(directory: Path) -> None:
    """Makes a directory, and all that is in it, old enough."""
    then = time.time() - UNLOCKED_S - 1
    for path in (*directory.iterdir(), directory):
        os.utime(path, (then, then))


def test_a_directory_is_free_once_its_process_leaves(tmp_path: Path) -> None:
    occupied = OccupiedDirectory(tmp_path)
    with kept_free(tmp_path) as free:
        assert not free
    occupied.leave()
    with kept_free(tmp_path) as free:
        assert free


@pytest.mark.usefixtures("no_locks")
def test_without_locks_a_directory_is_free_once_nothing_has_changed_for_hours(tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    with kept_free(tmp_path) as free:
        assert not free
    rested(tmp_path)
    with kept_free(tmp_path) as free:
        assert free
    (tmp_path / "source").touch()
    with kept_free(tmp_path) as free:
        assert not free


@pytest.mark.usefixtures("no_locks")
def test_without_locks_no_sweep_removes_an_upload_on_its_way(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    upload = storage.begin_upload("job", 3)
    assert storage.sweep(lambda _: False, older_than_s=0) == 0
    upload.write(b"abc")
    upload.finish()
    upload.keep()
    assert storage.sweep(lambda _: False, older_than_s=0) == 0
    rested(tmp_path / "jobs" / "job")
    assert storage.sweep(lambda _: False, older_than_s=0) == 1


@pytest.mark.usefixtures("no_locks")
def test_without_locks_local_copies_in_use_stay_when_another_process_starts(tmp_path: Path) -> None:
    def fetch(path: Path) -> None:
        path.write_bytes(b"abc")

    with Scratch(tmp_path, 1000).copy("a", 3, fetch) as path:
        Scratch(tmp_path, 1000)
        assert path.read_bytes() == b"abc"
