"""Keeps the files of jobs in an S3-compatible object store, for gateways and workers that share no disk.

    <prefix>jobs/<id>/source             the upload
    <prefix>jobs/<id>/pieces/...         restored segments
    <prefix>jobs/<id>/result.<container>, report.json

An object appears whole or not at all, which is all the atomicity that is needed. An upload streams into its final
place, which nobody reads before the job is known. Workers read local copies, because a decoder seeks too often for a
network.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.errors.storage import StorageUnavailable
from service.metrics import STAGE_SECONDS
from service.storage.bucket import Bucket
from service.storage.scratch import Scratch
from service.storage.store import PIECES, SOURCE, DownloadHeaders
from service.types import RemoteFile

log = logging.getLogger(__name__)

PART_BYTES = 8 << 20
"""Bytes of a part: above the 5 MiB that S3 asks for; an upload holds two of them in memory."""
MAX_PARTS = 9_000
"""S3 takes 10,000 parts; a few are left over, because an upload may be a little larger than announced."""
LEAST_AGE_S = 3 * 3600.0
"""Age in seconds below which nothing is a leftover, whatever a sweep is asked for: an object store does not tell whose
writer is alive, and over the slowest line that gateways put up with a part takes 2.3 hours."""


class S3Upload:
    """Sends an upload in parts while it arrives: one part is sent while the next one fills. Implements ``Upload``."""

    def __init__(self, bucket: Bucket, prefix: str, job_id: str, expected_bytes: int) -> None:
        """``prefix``: of the keys of all jobs."""
        self._bucket = bucket
        self._prefix = prefix
        self._job_id = job_id
        self._key = _key(prefix, job_id, SOURCE)
        self._part_bytes = max(PART_BYTES, expected_bytes // MAX_PARTS)
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._size = 0
        self._upload_id = ""
        self._tags: list[Future[str]] = []
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._kept = False

    @property
    def job_id(self) -> str:
        return self._job_id

    @property
    def size(self) -> int:
        return self._size

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._size += len(data)
        self._buffer += data
        if len(self._buffer) >= self._part_bytes:
            self._send()

    def finish(self) -> str:
        if self._upload_id:
            if self._buffer:
                self._send()
            self._bucket.join_parts(self._key, self._upload_id, [tag.result() for tag in self._tags])
            self._upload_id = ""
        else:
            self._bucket.put(self._key, bytes(self._buffer))
        return self._digest.hexdigest()

    def take_source_of(self, job_id: str) -> None:
        """Copies the object within the store."""
        self._bucket.copy(_key(self._prefix, job_id, SOURCE), self._key)
        self._size = self._bucket.size(self._key) or 0

    def contents(self) -> RemoteFile:
        return RemoteFile(self._bucket.sign(self._key, None), self._size)

    def keep(self, job_id: str | None = None) -> None:
        """Copies the object within the store for another job.

        Of two that do so at the same moment, the later one's stays; an object store knows no better.
        """
        self._sender.shutdown()
        if job_id is None:
            self._kept = True
            return
        key = _key(self._prefix, job_id, SOURCE)
        if self._bucket.size(key) is not None:
            raise FileExistsError(f"Job {job_id} has a source.")
        self._bucket.copy(self._key, key)

    def discard(self) -> None:
        """Removes the object or its parts; a later sweep finds what cannot be removed now."""
        self._sender.shutdown(cancel_futures=True)
        if self._kept:
            return
        try:
            if self._upload_id:
                self._bucket.drop_parts(self._key, self._upload_id)
            self._bucket.remove(self._key)
        except (StorageUnavailable, FileNotFoundError) as error:
            log.warning("Leftovers of an upload stay until a sweep: %s", error)

    def _send(self) -> None:
        """Hands the buffer over, after the part before has been sent, so that a slow store slows the client down."""
        if not self._upload_id:
            self._upload_id = self._bucket.begin_parts(self._key)
        if self._tags:
            self._tags[-1].result()
        data, self._buffer = self._buffer, bytearray()
        number = len(self._tags) + 1
        self._tags.append(
            self._sender.submit(self._bucket.put_part, self._key, self._upload_id, number, bytes(data))
        )


class S3Storage:
    """Keeps files in a bucket; ``scratch`` holds the local copies that workers read. Implements ``Storage``."""

    def __init__(self, bucket: Bucket, prefix: str, scratch: Scratch) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}jobs/"
        self._scratch = scratch

    def begin_upload(self, job_id: str, expected_bytes: int) -> S3Upload:
        return S3Upload(self._bucket, self._prefix, job_id, expected_bytes)

    def find(self, job_id: str, name: str, headers: DownloadHeaders | None = None) -> RemoteFile | None:
        key = self._key(job_id, name)
        size = self._bucket.size(key)
        if size is None:
            return None
        return RemoteFile(self._bucket.sign(key, headers), size, public=self._bucket.public)

    @contextmanager
    def reading(self, job_id: str, name: str) -> Iterator[Path]:
        key = self._key(job_id, name)
        found = self._bucket.version(key)
        if found is None:
            raise FileNotFoundError(f"There is no object {key}.")
        size, tag = found
        with self._scratch.copy(f"{key} {tag}", size, lambda path: self._bucket.download(key, path)) as path:
            yield path

    @contextmanager
    def writing(self, job_id: str, name: str) -> Iterator[Path]:
        """Uploads when the block ends. ``delete`` removes the source first, so a source that is still there afterwards
        shows that the job was not deleted in between.
        """
        key = self._key(job_id, name)
        with self._scratch.draft() as path:
            yield path
            with STAGE_SECONDS.labels("upload").time():
                self._bucket.upload(path, key)
        if self._bucket.size(self._key(job_id, SOURCE)) is None:
            self._bucket.remove(key)
            raise FileNotFoundError(f"The files of job {job_id} were removed.")

    def drop_pieces(self, job_id: str) -> None:
        self._remove_all(self._key(job_id, f"{PIECES}/"))

    def delete(self, job_id: str) -> None:
        self._bucket.remove(self._key(job_id, SOURCE))
        self._remove_all(self._key(job_id, ""))

    def sweep(self, is_known: Callable[[str], bool], older_than_s: float) -> int:
        latest = datetime.now(UTC) - timedelta(seconds=max(older_than_s, LEAST_AGE_S))
        return self._sweep_unfinished(latest) + self._sweep_orphans(is_known, latest)

    def check(self) -> None:
        self._bucket.check()

    def _sweep_unfinished(self, latest: datetime) -> int:
        old = [upload for upload in self._bucket.unfinished(self._prefix) if upload.changed <= latest]
        for upload in old:
            self._bucket.drop_parts(upload.key, upload.upload_id)
        return len(old)

    def _sweep_orphans(self, is_known: Callable[[str], bool], latest: datetime) -> int:
        changed: dict[str, datetime] = {}
        for listed in self._bucket.objects(self._prefix):
            job_id = listed.key.removeprefix(self._prefix).partition("/")[0]
            changed[job_id] = max(listed.changed, changed.get(job_id, listed.changed))
        orphans = [job_id for job_id, when in changed.items() if when <= latest and not is_known(job_id)]
        for job_id in orphans:
            self.delete(job_id)
        return len(orphans)

    def _remove_all(self, prefix: str) -> None:
        for listed in self._bucket.objects(prefix):
            self._bucket.remove(listed.key)

    def _key(self, job_id: str, name: str) -> str:
        return _key(self._prefix, job_id, name)


def _key(prefix: str, job_id: str, name: str) -> str:
    return f"{prefix}{job_id}/{name}"
