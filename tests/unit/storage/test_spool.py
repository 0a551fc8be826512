from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from service.errors.storage import StorageFull
from service.errors.upload import UploadExpired, UploadLocked, UploadNotFound, UploadTooLarge
from service.storage.partial_upload import PartialUpload
from service.storage.spool import UploadSpool


@pytest.fixture
def spool(tmp_path: Path) -> UploadSpool:
    return UploadSpool(tmp_path / "uploads", keep_s=60)


def test_an_upload_goes_on_where_it_ended(spool: UploadSpool) -> None:
    upload = spool.create(6, "a.mp4", "filename YS5tcDQ=").id
    for offset, data in ((0, b"abc"), (3, b"def")):
        with spool.appending(upload, offset) as appender:
            appender.write(data)
    now = spool.get(upload)
    assert (now.complete, now.filename, now.path.read_bytes()) == (True, "a.mp4", b"abcdef")


def test_one_request_writes_at_a_time(spool: UploadSpool) -> None:
    upload = spool.create(6, "", "").id
    with spool.appending(upload, 0), pytest.raises(UploadLocked), spool.appending(upload, 0):
        pass
    with spool.appending(upload, 0) as appender:
        appender.write(b"abc")


def test_no_more_than_announced_is_taken(spool: UploadSpool) -> None:
    upload = spool.create(2, "", "").id
    with spool.appending(upload, 0) as appender, pytest.raises(UploadTooLarge):
        appender.write(b"abc")
    assert spool.get(upload).offset == 0


def test_there_are_only_so_many_uploads(spool: UploadSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes files, however few bytes it announces."""
    monkeypatch.setattr("service.storage.spool.MOST_UPLOADS", 2)
    first, _ = (spool.create(length, "", "") for length in (0, 1))
    with pytest.raises(StorageFull, match="2 uploads"):
        spool.of("another tenant").create(0, "", "")
    spool.remove(first.id)
    expired = spool.create(0, "", "")
    then = time.time() - 61
    for path in (expired.path, expired.path.with_name("about.json"), expired.path.parent):
        os.utime(path, (then, then))
    spool.create(0, "", "")


def test_an_expired_upload_does_not_exist_and_is_swept(spool: UploadSpool, tmp_path: Path) -> None:
    upload = spool.create(6, "", "")
    young = spool.create(6, "", "").id
    then = time.time() - 61
    for path in (upload.path, upload.path.with_name("about.json"), upload.path.parent):
        os.utime(path, (then, then))
    with pytest.raises(UploadNotFound, match="expired"):
        spool.get(upload.id)
    assert spool.sweep() == 1
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == [young]


def aged(partial: PartialUpload, by_s: float) -> None:
    """Makes an upload older; its last byte is as young as it was."""
    then = time.time() - by_s
    os.utime(partial.path.with_name("about.json"), (then, then))


def test_an_upload_that_gets_a_byte_now_and_then_ends_all_the_same(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path, keep_s=60, longest_s=1000)
    slow, young = spool.create(6, "", ""), spool.create(6, "", "")
    with spool.appending(slow.id, 0) as appender:
        appender.write(b"abc")
    aged(slow, 970)
    assert spool.get(slow.id).expires_at == pytest.approx(time.time() + 30, abs=25)
    aged(slow, 1001)
    with pytest.raises(UploadExpired), spool.appending(slow.id, 3):
        pass
    assert spool.sweep() == 1
    assert [path.name for path in tmp_path.iterdir()] == [young.id]


def test_a_complete_upload_has_its_time_to_become_a_job(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path, keep_s=60, longest_s=1000)
    upload = spool.create(3, "", "")
    with spool.appending(upload.id, 0) as appender:
        appender.write(b"abc")
    aged(upload, 5000)
    assert spool.sweep() == 0
    assert spool.get(upload.id).complete


def test_a_writer_notices_that_the_time_is_over(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path, keep_s=60, longest_s=1)
    upload = spool.create(6, "", "").id

    def keep_on_asking() -> None:
        with spool.appending(upload, 0) as appender:
            while True:
                appender.require_turn()
                time.sleep(0.02)

    with pytest.raises(UploadExpired):
        keep_on_asking()


@pytest.mark.parametrize("name", ["", "..", "../jobs", "0" * 31, "0" * 32, "G" * 32])
def test_what_is_no_id_is_not_found(spool: UploadSpool, name: str) -> None:
    with pytest.raises(UploadNotFound):
        spool.get(name)


def test_room_is_asked_for_before_a_byte_is_taken(tmp_path: Path) -> None:
    spool = UploadSpool(tmp_path, keep_s=60)
    with pytest.raises(StorageFull):
        spool.create(1 << 60, "", "")
    assert list(tmp_path.iterdir()) == []
