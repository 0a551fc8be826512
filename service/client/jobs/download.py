"""Downloads a result into a file beside its place, resumes where a connection broke, and moves it when it is right."""

from __future__ import annotations

import hashlib
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from service.client.effects import Operation, call, pause, read, work
from service.client.errors import ClientError, DownloadDamaged
from service.client.http.answers import require_success
from service.client.http.calls import Answer, Call, TransferCallback
from service.client.model import Output
from service.client.retry_policy import RetryPolicy

SILENCE_S = 60.0


class PartialFile:
    """The bytes that have arrived so far, in a hidden file beside the output.

    Its name holds the digest of the whole, so that a later download goes on with the same bytes.
    """

    def __init__(self, output: Path, expected: Output) -> None:
        self._output, self._expected = output, expected
        self._path = output.with_name(f".{output.name}.{(expected.sha256 or 'unknown')[:16]}.part")
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def open(self) -> None:
        """Opens the file, and counts what an earlier download left in it."""
        self._path.touch()
        self._file = self._path.open("r+b")
        while data := self._file.read(1 << 20):
            self._count(data)
        if self.size > self._expected.bytes or not self._expected.sha256:
            self.restart()

    @property
    def complete(self) -> bool:
        return self.size == self._expected.bytes

    def restart(self) -> None:
        """Empties the file."""
        assert self._file
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Appends the next bytes."""
        assert self._file
        self._file.write(data)
        self._count(data)

    def publish(self) -> None:
        """Moves the file to its place, whatever was there. Raises DownloadDamaged, after deleting the file."""
        self.close(keep=True)
        if self._expected.sha256 not in (None, self._digest.hexdigest()):
            self._path.unlink(missing_ok=True)
            raise DownloadDamaged(f"What arrived for {self._output} is damaged; download it again.")
        self._path.replace(self._output)

    def close(self, *, keep: bool) -> None:
        """Closes the file, and deletes it unless it is to be kept and holds something."""
        if self._file:
            self._file.close()
        if not (keep and self.size):
            self._path.unlink(missing_ok=True)

    def _count(self, data: bytes) -> None:
        self._digest.update(data)
        self.size += len(data)


class Download:
    """Downloads ``path``, over as many connections as it takes."""

    def __init__(
        self, path: str, output: Path, expected: Output, on_received: TransferCallback | None = None
    ) -> None:
        self._path, self._total, self._on_received = path, expected.bytes, on_received
        self._part = PartialFile(output, expected)
        self._tag: str | None = None
        self._furthest = 0

    def run(self, outage_s: float, *, keep_part: bool) -> Operation[None]:
        """Writes the output. Raises RequestRejected, ServiceUnreachable, DownloadDamaged, OSError."""
        policy = RetryPolicy(outage_s)
        try:
            yield from work(self._part.open)
            while not self._part.complete:
                try:
                    if (yield from self._receive(policy)):
                        break
                except ClientError as error:
                    yield from pause(policy.delay_after(error))
            yield from work(self._part.publish)
        finally:
            self._part.close(keep=keep_part)

    def _receive(self, policy: RetryPolicy) -> Operation[bool]:
        """Requests what is missing. Returns whether the answer came to its end."""
        request = Call("GET", self._path, headers=self._range_headers(), stream=True, silence_s=SILENCE_S)
        answer = yield from call(request)
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            yield from work(self._part.restart)
            return False
        if not self._is_continuation(require_success(answer)):
            yield from work(self._part.restart)
        self._tag = answer.headers.get("etag")
        while data := (yield from read()):
            yield from work(partial(self._part.write, data))
            self._report_progress(policy)
        return True

    def _report_progress(self, policy: RetryPolicy) -> None:
        """Ends an outage when new bytes arrived; those that a server without ranges sends again are not new."""
        if self._part.size > self._furthest:
            self._furthest = self._part.size
            policy.reset()
        if self._on_received:
            self._on_received(self._part.size, self._total)

    def _range_headers(self) -> dict[str, str]:
        if not self._part.size:
            return {}
        same = {"If-Range": self._tag} if self._tag and not self._tag.startswith("W/") else {}
        return {"Range": f"bytes={self._part.size}-", **same}

    def _is_continuation(self, answer: Answer) -> bool:
        starts_here = answer.headers.get("content-range", "").startswith(f"bytes {self._part.size}-")
        return answer.status == HTTPStatus.PARTIAL_CONTENT and starts_here
