"""What both kinds of storage promise: the same tests over a directory and over a real S3 server."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest

from service.errors.storage import LocalCopiesTooSmall, StorageUnavailable
from service.storage.open import open_storage
from service.storage.options import S3Options, StorageOptions
from service.storage.store import REPORT, SOURCE, Storage, Upload, piece_name, result_name
from service.types import RemoteFile, Segment
from tests.support.object_store import client, running_object_store

pytestmark = pytest.mark.integration

JOB = "0" * 32
PIECE = piece_name(Segment(0, 0, 12))
LARGE = bytes(range(256)) * (81 << 10)
"""20 MiB: two full parts and a rest."""

_numbers = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with running_object_store(tmp_path_factory.mktemp("s3")) as options:
        yield options


@pytest.fixture(params=["filesystem", "s3"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> StorageOptions:
    """Empty storage of one kind."""
    s3 = None
    if request.param == "s3":
        s3 = replace(request.getfixturevalue("server"), prefix=f"run-{next(_numbers)}/")
    return StorageOptions(tmp_path / "data", 0, s3, tmp_path / "scratch", 64 << 20)


@pytest.fixture
def storage(options: StorageOptions) -> Storage:
    return open_storage(options)


def uploaded(storage: Storage, data: bytes, job_id: str = JOB) -> Upload:
    upload = storage.begin_upload(job_id, len(data))
    for start in range(0, len(data), 1 << 20):
        upload.write(data[start : start + (1 << 20)])
    upload.finish()
    return upload


def kept(storage: Storage, data: bytes = b"abc", job_id: str = JOB) -> None:
    upload = uploaded(storage, data, job_id)
    upload.keep()
    upload.discard()


def write(storage: Storage, name: str, data: bytes) -> None:
    with storage.writing(JOB, name) as path:
        path.write_bytes(data)


def read(storage: Storage, name: str) -> bytes:
    with storage.reading(JOB, name) as path:
        return path.read_bytes()


def contents(file: Path | RemoteFile | None) -> bytes:
    """What a client gets."""
    assert file is not None
    return file.read_bytes() if isinstance(file, Path) else httpx.get(file.url, trust_env=False).content


def left(options: StorageOptions) -> set[str]:
    """Every file and every unfinished upload."""
    if options.s3 is None:
        return {str(path) for path in options.data.rglob("*") if path.is_file()}
    s3, place = client(options.s3), {"Bucket": options.s3.bucket, "Prefix": options.s3.prefix}
    objects = s3.list_objects_v2(**place).get("Contents", [])
    return {entry["Key"] for entry in objects + s3.list_multipart_uploads(**place).get("Uploads", [])}


@pytest.mark.parametrize("data", [b"abc", LARGE], ids=["small", "in parts"])
def test_kept_upload_is_the_source_of_its_job(storage: Storage, data: bytes) -> None:
    upload = storage.begin_upload(JOB, len(data))
    for start in range(0, len(data), 1 << 20):
        upload.write(data[start : start + (1 << 20)])

    assert upload.finish() == hashlib.sha256(data).hexdigest()
    assert (upload.job_id, upload.size) == (JOB, len(data))
    assert contents(upload.contents()) == data
    upload.keep()
    upload.discard()

    assert read(storage, SOURCE) == data
    assert contents(storage.find(JOB, SOURCE)) == data


def test_an_upload_takes_the_source_of_another_job_which_outlives_that(storage: Storage) -> None:
    again = "1" * 32
    kept(storage, LARGE)
    upload = storage.begin_upload(again, 0)
    upload.take_source_of(JOB)
    assert (upload.size, contents(upload.contents())) == (len(LARGE), LARGE)
    upload.keep()
    upload.discard()
    storage.delete(JOB)
    assert contents(storage.find(again, SOURCE)) == LARGE
    storage.delete(again)
    assert storage.find(again, SOURCE) is None


def test_an_upload_with_the_source_of_another_job_is_discarded_by_itself(
    options: StorageOptions, storage: Storage
) -> None:
    kept(storage, b"abc")
    before = left(options)
    upload = storage.begin_upload("1" * 32, 0)
    upload.take_source_of(JOB)
    upload.discard()
    assert left(options) == before
    assert read(storage, SOURCE) == b"abc"


def test_the_source_of_a_job_without_files_cannot_be_taken(options: StorageOptions, storage: Storage) -> None:
    upload = storage.begin_upload("1" * 32, 0)
    with pytest.raises(FileNotFoundError):
        upload.take_source_of(JOB)
    upload.discard()
    assert left(options) == set()


def test_of_two_uploads_for_one_job_the_first_stays(options: StorageOptions, storage: Storage) -> None:
    first, second = (
        uploaded(storage, data, str(number) * 32) for number, data in enumerate((b"abc", LARGE), 1)
    )
    first.keep(JOB)
    with pytest.raises(FileExistsError):
        second.keep(JOB)
    assert read(storage, SOURCE) == b"abc"
    second.discard()
    first.discard()
    write(storage, PIECE, b"piece")
    assert (read(storage, SOURCE), read(storage, PIECE)) == (b"abc", b"piece")
    storage.delete(JOB)
    assert left(options) == set()


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("data", [b"abc", LARGE], ids=["small", "in parts"])
def test_discarded_upload_leaves_nothing(
    options: StorageOptions, storage: Storage, data: bytes, finished: bool
) -> None:
    upload = storage.begin_upload(JOB, len(data))
    for start in range(0, len(data), 1 << 20):
        upload.write(data[start : start + (1 << 20)])
    if finished:
        upload.finish()

    upload.discard()
    upload.discard()

    assert left(options) == set()
    assert storage.find(JOB, SOURCE) is None


def test_written_file_appears_with_the_end_of_its_block(storage: Storage) -> None:
    kept(storage)
    with storage.writing(JOB, PIECE) as path:
        path.write_bytes(b"piece")
        assert storage.find(JOB, PIECE) is None

    assert read(storage, PIECE) == b"piece"


def test_a_file_that_is_written_again_is_read_as_it_is_now(storage: Storage) -> None:
    kept(storage)
    for data in (b"first", b"later"):
        write(storage, PIECE, data)
        assert read(storage, PIECE) == data


def test_file_whose_writing_failed_never_appears(options: StorageOptions, storage: Storage) -> None:
    kept(storage)
    before = left(options)

    def fail() -> None:
        with storage.writing(JOB, PIECE) as path:
            path.write_bytes(b"half")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()

    assert left(options) == before
    assert storage.find(JOB, PIECE) is None


def test_failed_second_writing_keeps_the_first_file(storage: Storage) -> None:
    kept(storage)
    write(storage, PIECE, b"before")

    def interrupt() -> None:
        with storage.writing(JOB, PIECE) as path:
            path.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()

    assert read(storage, PIECE) == b"before"


def test_two_writers_do_not_share_a_file(storage: Storage) -> None:
    kept(storage)
    with storage.writing(JOB, PIECE) as one, storage.writing(JOB, PIECE) as two:
        one.write_bytes(b"one")
        two.write_bytes(b"two")
        assert one != two


def test_file_can_be_written_again(storage: Storage) -> None:
    kept(storage)
    write(storage, result_name("mp4"), b"one")
    write(storage, result_name("mp4"), b"two")

    assert read(storage, result_name("mp4")) == b"two"


def test_what_is_not_there_is_said_so(storage: Storage) -> None:
    assert storage.find(JOB, SOURCE) is None
    with pytest.raises(FileNotFoundError), storage.reading(JOB, SOURCE):
        pass


def test_pieces_can_be_dropped_alone(storage: Storage) -> None:
    kept(storage)
    for name in (PIECE, result_name("mp4"), REPORT):
        write(storage, name, b"data")

    storage.drop_pieces(JOB)
    storage.drop_pieces(JOB)

    assert storage.find(JOB, PIECE) is None
    assert all(storage.find(JOB, name) for name in (SOURCE, result_name("mp4"), REPORT))


def test_files_of_a_deleted_job_do_not_come_back(options: StorageOptions, storage: Storage) -> None:
    kept(storage)
    write(storage, PIECE, b"piece")

    def write_late() -> None:
        with storage.writing(JOB, PIECE) as path:
            path.write_bytes(b"late")
            storage.delete(JOB)

    with pytest.raises(FileNotFoundError):
        write_late()
    storage.delete(JOB)

    assert left(options) == set()


def begun(storage: Storage) -> list[Upload]:
    """A whole upload and a half one."""
    complete, partial = uploaded(storage, b"abc", "3" * 32), storage.begin_upload("4" * 32, len(LARGE))
    for _ in range(2):  # the second part waits until the first has arrived
        partial.write(LARGE)
    return [complete, partial]


def run_and_die(what: Callable[[StorageOptions], None], options: StorageOptions) -> None:
    """Leaves what a process leaves that is killed."""
    process = get_context("spawn").Process(target=what, args=(options,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def read_and_die(options: StorageOptions) -> None:
    read(open_storage(options), SOURCE)
    os.kill(os.getpid(), signal.SIGKILL)


def begin_and_die(options: StorageOptions) -> None:
    begun(open_storage(options))
    os.kill(os.getpid(), signal.SIGKILL)


def test_sweep_removes_leftovers_and_nothing_else(
    options: StorageOptions, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, orphan = "1" * 32, "2" * 32
    for job_id in (known, orphan):
        kept(storage, job_id=job_id)
    run_and_die(begin_and_die, options)

    assert storage.sweep(lambda _: True, older_than_s=4 * 3600) == 0
    monkeypatch.setattr("service.storage.s3.LEAST_AGE_S", 0)
    assert storage.sweep(lambda job_id: job_id == known, older_than_s=0) == 3
    assert storage.find(known, SOURCE) is not None
    assert len(left(options)) == 1


def test_sweep_leaves_uploads_of_live_writers_whatever_their_age(
    options: StorageOptions, storage: Storage
) -> None:
    uploads, before = begun(storage), left(options)
    try:
        assert storage.sweep(lambda _: False, older_than_s=0) == 0
        assert left(options) == before
        uploads[1].finish()
        for upload in uploads:
            upload.keep()
        assert storage.sweep(lambda _: False, older_than_s=0) == 0
        assert all(storage.find(upload.job_id, SOURCE) for upload in uploads)
    finally:
        for upload in uploads:
            upload.discard()


def test_storage_that_works_passes_its_check(storage: Storage) -> None:
    storage.check()


def test_another_process_sees_the_same_files(
    options: StorageOptions, storage: Storage, tmp_path: Path
) -> None:
    kept(storage, LARGE)
    other = open_storage(replace(options, scratch=tmp_path / "elsewhere"))
    write(storage, PIECE, b"piece")

    assert read(other, PIECE) == b"piece"
    assert read(other, SOURCE) == LARGE


class TestS3:
    """What only an object store has."""

    @pytest.fixture
    def options(self, server: S3Options, tmp_path: Path) -> StorageOptions:
        s3 = replace(server, prefix=f"run-{next(_numbers)}/")
        return StorageOptions(tmp_path / "data", 0, s3, tmp_path / "scratch", 25 << 20)

    def test_gateways_work_touches_no_disk(self, options: StorageOptions, storage: Storage) -> None:
        kept(storage, LARGE)
        assert isinstance(storage.find(JOB, SOURCE), RemoteFile)

        assert not options.scratch.exists()
        assert not options.data.exists()

    def test_local_copies_stay_within_their_limit(self, options: StorageOptions, storage: Storage) -> None:
        kept(storage, LARGE)
        kept(storage, LARGE, "1" * 32)

        read(storage, SOURCE)
        with storage.reading("1" * 32, SOURCE):
            files = [path.stat().st_size for path in options.scratch.rglob("*") if path.is_file()]
            with pytest.raises(StorageUnavailable, match="no room"):
                read(storage, SOURCE)

        assert files == [len(LARGE)]

    def test_copy_is_fetched_once(self, storage: Storage) -> None:
        kept(storage, LARGE)
        with storage.reading(JOB, SOURCE) as first, storage.reading(JOB, SOURCE) as second:
            assert first == second
        with storage.reading(JOB, SOURCE) as third:
            assert third == first

    def test_file_that_can_never_fit_is_refused(self, options: StorageOptions) -> None:
        storage = open_storage(replace(options, scratch_bytes=1 << 20))
        kept(storage, LARGE)

        with pytest.raises(LocalCopiesTooSmall, match="1048576"):
            read(storage, SOURCE)

    def test_scratch_of_an_earlier_run_is_gone(self, options: StorageOptions, storage: Storage) -> None:
        kept(storage)
        run_and_die(read_and_die, options)
        assert [path for path in options.scratch.rglob("*") if path.is_file()]
        open_storage(options)

        assert list(options.scratch.iterdir()) == []

    def test_signed_address_answers_ranges_and_is_needed(self, storage: Storage) -> None:
        kept(storage, LARGE)
        file = storage.find(JOB, SOURCE)
        assert isinstance(file, RemoteFile)

        part = httpx.get(file.url, headers={"Range": "bytes=10-19"}, trust_env=False)

        assert (part.status_code, part.content) == (206, LARGE[10:20])
        assert "X-Amz-Signature=" in file.url

    def test_store_that_is_away_is_unavailable(self, options: StorageOptions) -> None:
        assert options.s3
        nobody = replace(options.s3, endpoint="http://127.0.0.1:9")
        storage = open_storage(replace(options, s3=nobody))

        with pytest.raises(StorageUnavailable):
            storage.check()
        with pytest.raises(StorageUnavailable):
            uploaded(storage, b"abc")

    def test_missing_bucket_is_named(self, options: StorageOptions) -> None:
        assert options.s3
        storage = open_storage(replace(options, s3=replace(options.s3, bucket="nowhere")))

        with pytest.raises(StorageUnavailable, match="nowhere"):
            storage.check()
