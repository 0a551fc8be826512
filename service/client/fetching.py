"""Downloading a result: beside its place, going on where a connection broke, moved there when it is right."""

from __future__ import annotations

import hashlib
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from service.client.answers import checked
from service.client.errors import ClientError, DownloadDamaged
from service.client.model import Output
from service.client.retry_policy import Patience
from service.client.steps import Answer, Call, Flow, Transferred, call, pause, read, work

SILENCE_S = 60.0


class Part:
    """What has arrived so far, in a file that is named after what it is to become.

    The name holds the digest of the whole: a later run that finds the file goes on with the same bytes.
    """

    def __init__(self, output: Path, expected: Output) -> None:
        self._output, self._expected = output, expected
        self._path = output.with_name(f".{output.name}.{(expected.sha256 or 'unknown')[:16]}.part")
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def open(self) -> None:
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
        assert self._file
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        assert self._file
        self._file.write(data)
        self._count(data)

    def publish(self) -> None:
        """Put it in its place, whatever was there. Raises DownloadDamaged, and then there is no part any more."""
        self.close(keep=True)
        if self._expected.sha256 not in (None, self._digest.hexdigest()):
            self._path.unlink(missing_ok=True)
            raise DownloadDamaged(f"what arrived for {self._output} is damaged; download it again")
        self._path.replace(self._output)

    def close(self, *, keep: bool) -> None:
        if self._file:
            self._file.close()
        if not (keep and self.size):
            self._path.unlink(missing_ok=True)

    def _count(self, data: bytes) -> None:
        self._digest.update(data)
        self.size += len(data)


class Fetch:
    """One download of ``path``, over as many connections as it takes."""

    def __init__(
        self, path: str, output: Path, expected: Output, on_received: Transferred | None = None
    ) -> None:
        self._path, self._total, self._on_received = path, expected.bytes, on_received
        self._part = Part(output, expected)
        self._tag: str | None = None
        self._furthest = 0

    def run(self, outage_s: float, *, keep_part: bool) -> Flow[None]:
        """Raises RequestRejected, ServiceUnreachable, DownloadDamaged, OSError."""
        patience = Patience(outage_s)
        try:
            yield from work(self._part.open)
            while not self._part.complete:
                try:
                    if (yield from self._go_on(patience)):
                        break
                except ClientError as error:
                    yield from pause(patience.after(error))
            yield from work(self._part.publish)
        finally:
            self._part.close(keep=keep_part)

    def _go_on(self, patience: Patience) -> Flow[bool]:
        """Whether the answer came to its end."""
        request = Call("GET", self._path, headers=self._asked(), stream=True, silence_s=SILENCE_S)
        answer = yield from call(request)
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            yield from work(self._part.restart)
            return False
        if not self._continues(checked(answer)):
            yield from work(self._part.restart)
        self._tag = answer.headers.get("etag")
        while data := (yield from read()):
            yield from work(partial(self._part.write, data))
            self._progressed(patience)
        return True

    def _progressed(self, patience: Patience) -> None:
        """Bytes that a server without ranges sends again are no progress."""
        if self._part.size > self._furthest:
            self._furthest = self._part.size
            patience.calm()
        if self._on_received:
            self._on_received(self._part.size, self._total)

    def _asked(self) -> dict[str, str]:
        if not self._part.size:
            return {}
        same = {"If-Range": self._tag} if self._tag and not self._tag.startswith("W/") else {}
        return {"Range": f"bytes={self._part.size}-", **same}

    def _continues(self, answer: Answer) -> bool:
        began = answer.headers.get("content-range", "").startswith(f"bytes {self._part.size}-")
        return answer.status == HTTPStatus.PARTIAL_CONTENT and began
