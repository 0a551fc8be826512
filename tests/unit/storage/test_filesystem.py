from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.errors.storage import StorageFull
from service.storage.filesystem import FilesystemStorage

JOB = "0" * 32


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def kept(storage: FilesystemStorage, job_id: str = JOB) -> None:
    upload = storage.begin_upload(job_id, 3)
    upload.write(b"abc")
    upload.finish()
    upload.keep()
    upload.discard()


def test_nobody_else_can_look_inside(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path / "data")
    kept(storage)

    for directory in (tmp_path / "data", tmp_path / "data" / "jobs" / JOB):
        assert directory.stat().st_mode & 0o077 == 0


def test_upload_that_would_not_leave_the_reserve_is_refused(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path, reserve_bytes=1)

    with pytest.raises(StorageFull, match="free"):
        storage.begin_upload(JOB, 1 << 60)
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_disk_that_fills_up_in_the_middle_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_device = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")
    monkeypatch.setattr(Path, "open", lambda *_: full_device)
    upload = FilesystemStorage(tmp_path).begin_upload(JOB, 1)

    with pytest.raises(StorageFull, match="full"):
        upload.write(bytes(1 << 20))
    upload.discard()

    assert list((tmp_path / "incoming").iterdir()) == []


def test_deleted_job_cannot_be_written_to(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    kept(storage)

    storage.delete(JOB)
    storage.delete(JOB)

    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "jobs" / JOB / "pieces" / "piece").write_bytes(b"late")
    assert caught.value.errno == errno.ENOENT
    assert files(tmp_path) == set()


def test_sweep_judges_by_the_latest_change(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    known, orphan, young = ("0" * 32, "1" * 32, "2" * 32)
    for job_id in (known, orphan, young):
        kept(storage, job_id)
    abandoned, fresh = (tmp_path / "incoming" / name for name in ("abandoned", "fresh"))
    for path in (abandoned, fresh):
        path.mkdir()
        (path / "source").write_bytes(b"abc")
    for path in (tmp_path / "jobs" / known, tmp_path / "jobs" / orphan, abandoned):
        for changed in (path / "source", path):
            os.utime(changed, (0, 0))

    removed = storage.sweep(lambda job_id: job_id == known, older_than_s=3600)

    assert removed == 2
    assert [storage.find(job_id, "source") is not None for job_id in (known, orphan, young)] == [
        True,
        False,
        True,
    ]
    assert [path.exists() for path in (abandoned, fresh)] == [False, True]


def test_sweep_removes_what_a_killed_worker_was_writing_a_day_ago(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    kept(storage)
    home = tmp_path / "jobs" / JOB
    old, new = home / "pieces" / "1.mp4.ab.part", home / "side-by-side.mp4.cd.part.picture"
    for path in (old, new, home / "result.mp4"):
        path.write_bytes(b"half")
    for path in (old, home / "result.mp4"):
        os.utime(path, (0, 0))

    assert storage.sweep(lambda _: True, older_than_s=0) == 0
    assert [path.exists() for path in (old, new, home / "result.mp4")] == [False, True, True]


def test_sweep_takes_a_kept_upload_for_in_use_until_its_job_may_be_on_record(tmp_path: Path) -> None:
    storage, other = FilesystemStorage(tmp_path), FilesystemStorage(tmp_path)
    upload = storage.begin_upload(JOB, 3)
    upload.write(b"abc")
    upload.finish()
    upload.keep()

    assert other.sweep(lambda _: False, older_than_s=0) == 0
    assert storage.find(JOB, "source") is not None
    upload.discard()
    assert other.sweep(lambda _: False, older_than_s=0) == 1
    assert storage.find(JOB, "source") is None


def test_uploads_begin_while_sweeps_remove_all_that_nobody_holds(tmp_path: Path) -> None:
    storage, ended = FilesystemStorage(tmp_path), threading.Event()

    def sweep_on() -> int:
        removed = 0
        while not ended.is_set():
            removed += storage.sweep(lambda _: False, older_than_s=0)
        return removed

    with ThreadPoolExecutor(1) as sweeper:
        swept = sweeper.submit(sweep_on)
        try:
            for number in range(200):
                upload = storage.begin_upload(f"{number:032x}", 3)
                upload.write(b"abc")
                upload.finish()
                upload.keep()
                assert storage.find(upload.job_id, "source") is not None
                storage.delete(upload.job_id)
                upload.discard()
        finally:
            ended.set()
    swept.result()
