"""What operators are told of the disk."""

from __future__ import annotations

from pathlib import Path

from service.overview.resources import Disk

KIB = 1 << 10


def write(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_files_are_summed_up_by_what_they_are(tmp_path: Path) -> None:
    for name in ("jobs/a/source", "jobs/a/pieces/0.mp4", "trash/b/source"):
        write(tmp_path / name, 100 * KIB)
    for name in ("incoming/c/source", "uploads/d/data"):
        write(tmp_path / name, 500 * KIB)
    write(tmp_path / "run" / "redis.sock", 900 * KIB)

    use = Disk(tmp_path, reserve=7).use()

    assert 300 * KIB <= use.jobs < 400 * KIB
    assert 1000 * KIB <= use.uploads < 1100 * KIB
    assert 0 < use.free <= use.total
    assert use.reserve == 7


def test_a_disk_without_files_has_none(tmp_path: Path) -> None:
    use = Disk(tmp_path, reserve=0).use()

    assert (use.jobs, use.uploads) == (0, 0)
