"""Room on a disk, asked of the real one: what is free apart from a few megabytes is declared the reserve."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import av
import pytest

from service.errors.pipeline import PipelineError
from service.errors.storage import StorageFull
from service.storage.disk import claim_space, disk_errors, held_space
from service.storage.filesystem import FilesystemStorage
from service.storage.spool import PROMISE_S, UploadSpool

JOB = "0" * 32
MIB = 1 << 20
ROOM = 256 * MIB
"""Room for uploads in these tests; others that use the disk meanwhile change it by much less."""


@pytest.fixture
def reserve(tmp_path: Path) -> int:
    return shutil.disk_usage(tmp_path).free - ROOM


def test_upload_of_unknown_length_stops_before_the_reserve(tmp_path: Path, reserve: int) -> None:
    upload = FilesystemStorage(tmp_path, reserve).begin_upload(JOB, 0)
    block = bytes(8 * MIB)

    def write_on() -> None:
        for _ in range(2 * ROOM // len(block)):
            upload.write(block)

    with pytest.raises(StorageFull, match="must stay free"):
        write_on()

    assert shutil.disk_usage(tmp_path).free > reserve - ROOM // 2
    assert upload.size <= ROOM
    upload.discard()
    assert list((tmp_path / "incoming").iterdir()) == []


def test_held_room_is_nobody_elses_until_it_is_given_back(tmp_path: Path, reserve: int) -> None:
    others = FilesystemStorage(tmp_path, reserve)
    with held_space(tmp_path, ROOM * 2 // 3) as keep:
        with pytest.raises(StorageFull):
            others.begin_upload(JOB, ROOM * 2 // 3)
        keep(ROOM // 12)
        others.begin_upload(JOB, ROOM * 2 // 3).discard()
        keep(ROOM)
        others.begin_upload(JOB, ROOM * 2 // 3).discard()
    with pytest.raises(StorageFull), held_space(tmp_path, 1 << 60):
        pass
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_room_of_an_upload_is_nobody_elses_before_a_byte_arrives(tmp_path: Path, reserve: int) -> None:
    one, two = (FilesystemStorage(tmp_path, reserve) for _ in range(2))  # as two processes have them
    upload = one.begin_upload(JOB, ROOM * 2 // 3)

    with pytest.raises(StorageFull):
        two.begin_upload("1" * 32, ROOM * 2 // 3)
    with pytest.raises(StorageFull):
        UploadSpool(tmp_path / "uploads", 60, reserve_bytes=reserve).create(ROOM * 2 // 3, "", "")
    upload.discard()
    two.begin_upload("1" * 32, ROOM * 2 // 3).discard()


def test_resumable_uploads_are_promised_no_more_than_there_is(tmp_path: Path, reserve: int) -> None:
    spool, made = UploadSpool(tmp_path / "uploads", 60, reserve_bytes=reserve), []
    with suppress(StorageFull):
        for _ in range(100):
            made.append(spool.create(ROOM // 4, "a.mp4", ""))

    assert 2 <= len(made) <= 4
    assert [spool.get(upload.id).offset for upload in made] == [0] * len(made)
    with spool.appending(made[0].id, 0) as appender:
        appender.write(b"abc")
    assert spool.get(made[0].id).offset == 3
    spool.remove(made[1].id)
    spool.create(ROOM // 4, "a.mp4", "")


def test_upload_that_rests_keeps_its_bytes_and_no_room(tmp_path: Path, reserve: int) -> None:
    spool = UploadSpool(tmp_path / "uploads", 24 * 3600, reserve_bytes=reserve)
    resting = spool.create(ROOM * 2 // 3, "a.mp4", "")
    with spool.appending(resting.id, 0) as appender:
        appender.write(b"abc")
    with pytest.raises(StorageFull):
        spool.create(ROOM * 2 // 3, "b.mp4", "")

    _let_rest(resting.path.parent)
    before = spool.get(resting.id)
    other = spool.create(ROOM * 2 // 3, "b.mp4", "")

    assert spool.get(resting.id) == before
    with pytest.raises(StorageFull), spool.appending(resting.id, 3):
        pass
    spool.remove(other.id)
    with spool.appending(resting.id, 3) as appender:
        appender.write(b"def")
    assert resting.path.read_bytes() == b"abcdef"


def test_upload_that_is_written_keeps_its_room(tmp_path: Path, reserve: int) -> None:
    spool = UploadSpool(tmp_path / "uploads", 24 * 3600, reserve_bytes=reserve)
    upload = spool.create(ROOM * 2 // 3, "a.mp4", "")

    with spool.appending(upload.id, 0):
        _let_rest(upload.path.parent)
        with pytest.raises(StorageFull):
            spool.create(ROOM * 2 // 3, "b.mp4", "")


def test_upload_that_comes_byte_by_byte_has_no_room_ahead(tmp_path: Path, reserve: int) -> None:
    spool = UploadSpool(tmp_path / "uploads", 24 * 3600, reserve_bytes=reserve, least_rate=1024)
    slow = spool.create(ROOM * 2 // 3, "a.mp4", "")
    with spool.appending(slow.id, 0) as appender:
        appender.write(b"a")
    _let_rest(slow.path.parent)
    with spool.appending(slow.id, 1) as appender:
        appender.write(b"b")

    other = spool.create(ROOM * 2 // 3, "b.mp4", "")
    with spool.appending(slow.id, 2) as appender:
        appender.write(b"c")
        with pytest.raises(StorageFull):
            appender.write(bytes(ROOM // 2))
    spool.remove(other.id)
    with spool.appending(slow.id, 3) as appender:
        appender.write(bytes(ROOM // 2))

    assert spool.get(slow.id).offset == 3 + ROOM // 2


def test_upload_that_comes_fast_enough_keeps_its_room(tmp_path: Path, reserve: int) -> None:
    spool = UploadSpool(tmp_path / "uploads", 24 * 3600, reserve_bytes=reserve, least_rate=1024)
    upload = spool.create(ROOM * 2 // 3, "a.mp4", "")
    with spool.appending(upload.id, 0) as appender:
        appender.write(bytes(2 * MIB))
    _let_rest(upload.path.parent)
    with spool.appending(upload.id, 2 * MIB) as appender:
        appender.write(b"b")

    with pytest.raises(StorageFull):
        spool.create(ROOM * 2 // 3, "b.mp4", "")


def _let_rest(upload: Path) -> None:
    """Makes an upload as old as one that nothing was sent to for longer than its room is kept."""
    for path in (*upload.iterdir(), upload):
        then = path.stat().st_mtime - 2 * PROMISE_S
        os.utime(path, (then, then))


def test_finished_upload_takes_no_more_than_its_bytes(tmp_path: Path) -> None:
    upload = FilesystemStorage(tmp_path).begin_upload(JOB, 0)
    upload.write(b"abc")
    upload.finish()
    upload.keep()

    state = (tmp_path / "jobs" / JOB / "source").stat()
    assert (state.st_size, state.st_blocks <= 16) == (3, True)


def test_claiming_changes_no_size_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with path.open("r+b") as file:
        claim_space(file.fileno(), path, MIB, 0)
        claim_space(file.fileno(), path, MIB, 1 << 60)  # it has the room by now

    assert path.read_bytes() == b"abc"


def test_full_disk_is_seen_through_what_was_made_of_it(tmp_path: Path) -> None:
    """The kernel's own device without room; FFmpeg writes to it as to any file."""
    storage = FilesystemStorage(tmp_path)
    (tmp_path / "jobs" / JOB).mkdir()

    def publish() -> None:
        with storage.writing(JOB, "piece.mp4") as draft:
            draft.symlink_to("/dev/full")
            _write_video(draft)

    with pytest.raises(StorageFull, match="full"):
        publish()

    assert list((tmp_path / "jobs" / JOB).iterdir()) == []
    with pytest.raises(PipelineError), disk_errors():
        raise PipelineError("Something else.")


def _write_video(path: Path) -> None:
    try:
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=25)
            frame = av.VideoFrame(64, 64, "yuv420p")
            container.mux([*stream.encode(frame), *stream.encode(None)])
    except av.FFmpegError as error:
        raise PipelineError(f"The piece cannot be written: {error.strerror}.") from error


def test_workers_leave_a_part_of_the_reserve(tmp_path: Path) -> None:
    (tmp_path / "jobs" / JOB).mkdir(parents=True)
    free = shutil.disk_usage(tmp_path).free
    with FilesystemStorage(tmp_path, free).writing(JOB, "piece") as draft:
        draft.write_bytes(b"piece")

    with pytest.raises(StorageFull), FilesystemStorage(tmp_path, free * 10).writing(JOB, "piece"):
        raise AssertionError("nothing is begun")
