"""The layout of a data directory: stamped, migrated, refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.errors.startup import DataUnwritable, DataVersionUnsupported
from service.local.data_version import FILE, Migration, newest, open_data_directory, require_known_layout
from service.local.lock import DirectoryLock


def layout(directory: Path) -> int:
    return int(json.loads((directory / FILE).read_text())["layout"])


def note(name: str) -> Migration:
    """A migration that appends a line to a file of the directory."""

    def migrate(directory: Path) -> None:
        with (directory / "jobs" / "history").open("a") as file:
            file.write(f"{name}\n")

    return migrate


LATER: Mapping[int, Migration] = {1: note("to 2"), 2: note("to 3")}


def test_a_directory_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataUnwritable, match=r"file/data cannot be used: Not a directory"):
        open_data_directory(tmp_path / "file" / "data")


def test_a_directory_that_is_read_only_is_refused() -> None:
    """Nobody, not even root, makes files in /proc."""
    for use in (open_data_directory, DirectoryLock):
        with pytest.raises(DataUnwritable, match=r"/proc/self cannot be used: "):
            use(Path("/proc/self"))


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A directory from before there was a number."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "history").touch()
    return tmp_path


def test_a_new_directory_has_the_newest_layout_and_needs_no_migration(tmp_path: Path) -> None:
    open_data_directory(tmp_path / "new" / "data", LATER)
    assert layout(tmp_path / "new" / "data") == 3
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_a_directory_without_a_number_is_of_the_first_layout(used: Path) -> None:
    open_data_directory(used)
    assert layout(used) == newest() == 1


def test_migrations_run_once_in_order(used: Path) -> None:
    for _ in range(2):
        open_data_directory(used, LATER)
        assert (used / "jobs" / "history").read_text() == "to 2\nto 3\n"
        assert layout(used) == 3


def test_a_migration_that_failed_goes_on_where_it_was(used: Path) -> None:
    def fail(directory: Path) -> None:
        raise OSError(f"no space in {directory}")

    with pytest.raises(OSError, match="no space"):
        open_data_directory(used, {1: note("to 2"), 2: fail})
    assert layout(used) == 2
    open_data_directory(used, LATER)
    assert (used / "jobs" / "history").read_text() == "to 2\nto 3\n"


def test_processes_that_start_together_migrate_once(used: Path) -> None:
    threads = [threading.Thread(target=open_data_directory, args=(used, LATER)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (used / "jobs" / "history").read_text() == "to 2\nto 3\n"


def test_a_newer_directory_is_refused_and_left_alone(used: Path) -> None:
    open_data_directory(used, LATER)
    before = {path: path.read_bytes() for path in used.rglob("*") if path.is_file()}
    for refuse in (open_data_directory, require_known_layout):
        with pytest.raises(
            DataVersionUnsupported, match=r"of a newer cdvd: its layout is 3.* up to 1\. Update"
        ):
            refuse(used)
    assert {path: path.read_bytes() for path in used.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layout": "one"}', '{"layout": 0}', '{"layout": true}'])
def test_a_number_that_cannot_be_read_is_refused(used: Path, text: str) -> None:
    (used / FILE).write_text(text)
    with pytest.raises(DataVersionUnsupported, match="does not say which layout"):
        open_data_directory(used)
    assert (used / FILE).read_text() == text
