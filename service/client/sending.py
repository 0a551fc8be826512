"""Submitting a video: in one form, or by a resumable upload (tus 1.0) that goes on where a connection broke."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from service.client.answers import checked, job_in
from service.client.errors import AddressUnusable, ClientError, RequestRejected, SourceChanged
from service.client.form import form_call
from service.client.model import Job
from service.client.retry_policy import Patience, patiently
from service.client.steps import Answer, Call, FilePart, Flow, Transferred, call, pause, work

RESUMABLE_FROM_BYTES = 16 << 20
"""Smaller files are sent again from their beginning sooner than two more requests are made for each."""

SILENCE_S = 60.0
SLOW_STORE = 10e6
"""Bytes per second: a service may move an upload to its place, and look at it, before it answers."""

_TUS = {"Tus-Resumable": "1.0.0"}
_NO_UPLOADS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


@dataclass(frozen=True)
class Submission:
    """``fields`` are the text parts of POST /jobs; all attempts carry the one ``key``, and make one job."""

    video: Path
    key: str
    fields: Mapping[str, str] = field(default_factory=dict)
    resumable_from: int = RESUMABLE_FROM_BYTES
    on_sent: Transferred | None = None


def submit(submission: Submission, outage_s: float) -> Flow[Job]:
    """The queued job. Raises RequestRejected, ServiceUnreachable, SourceChanged, OSError."""
    stat = yield from work(submission.video.stat)
    file = FilePart(submission.video, stat.st_size, on_sent=submission.on_sent)
    if file.size >= submission.resumable_from:
        upload = _Upload(file, outage_s)
        if (yield from upload.send()):
            return (yield from _submit_upload(submission, upload, stat, outage_s))

    def attempt() -> Flow[Job]:
        return _post(submission, submission.fields, file, file)

    return (yield from patiently(attempt, Patience(outage_s)))


def _submit_upload(
    submission: Submission, upload: _Upload, before: os.stat_result, outage_s: float
) -> Flow[Job]:
    """An upload that becomes no job does not stay behind."""

    def attempt() -> Flow[Job]:
        return _post(submission, {**submission.fields, "upload": upload.id}, upload.file)

    try:
        after = yield from work(submission.video.stat)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise SourceChanged(f"{submission.video} changed while it was sent; send it again")
        return (yield from patiently(attempt, Patience(outage_s)))
    except (RequestRejected, SourceChanged):
        yield from upload.give_up()
        raise


def _post(
    submission: Submission, fields: Mapping[str, str], stored: FilePart, file: FilePart | None = None
) -> Flow[Job]:
    """With the ``file``, or for bytes that are over there already."""
    request = form_call("/jobs", fields, file, {"Idempotency-Key": submission.key})
    silence_s = SILENCE_S + stored.size / SLOW_STORE
    return job_in((yield from call(replace(request, silence_s=silence_s))))


class _Upload:
    """One resumable upload."""

    def __init__(self, file: FilePart, outage_s: float) -> None:
        self.file, self._outage_s = file, outage_s
        self.id = ""

    @property
    def _path(self) -> str:
        return f"/uploads/{self.id}"

    def send(self) -> Flow[bool]:
        """Return when all is there; False where the service takes no such uploads."""
        if not (yield from patiently(self._create, Patience(self._outage_s))):
            return False
        stalled = Patience(self._outage_s)
        stalled.calm()
        offset = 0
        while offset < self.file.size:
            try:
                offset = yield from self._append(offset)
            except ClientError as error:
                wait = stalled.after(error)
                yield from pause(wait)
                before, offset = offset, (yield from patiently(self._arrived, Patience(self._outage_s)))
                if offset > before:
                    stalled.calm()
        return True

    def give_up(self) -> Flow[None]:
        """It would lapse by itself, later."""
        with suppress(ClientError):
            yield from call(Call("DELETE", self._path, headers=_TUS))

    def _create(self) -> Flow[bool]:
        name = base64.b64encode(self.file.path.name.encode("utf-8", "surrogateescape")).decode()
        headers = {
            **_TUS,
            "Upload-Length": str(self.file.size),
            "Upload-Metadata": f"filename {name}",
        }
        answer = yield from call(Call("POST", "/uploads", headers=headers))
        if answer.status in _NO_UPLOADS:
            return False
        self.id = checked(answer).headers.get("location", "").rpartition("/")[2]
        if not self.id:
            raise AddressUnusable(f"what answers at {answer.url} takes no resumable uploads")
        return True

    def _append(self, offset: int) -> Flow[int]:
        """Send all that is missing; what arrived before a connection breaks is kept over there."""
        rest = FilePart(self.file.path, self.file.size, offset, self.file.on_sent)
        headers = {
            **_TUS,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return self._offset_in(
            (yield from call(Call("PATCH", self._path, headers=headers, file=rest, silence_s=SILENCE_S)))
        )

    def _arrived(self) -> Flow[int]:
        answer = yield from call(Call("HEAD", self._path, headers=_TUS))
        if answer.status == HTTPStatus.NOT_FOUND:  # the answer to HEAD has no body that would say so
            raise RequestRejected(
                "the upload expired before it was complete", "upload_not_found", answer.status
            )
        return self._offset_in(answer)

    def _offset_in(self, answer: Answer) -> int:
        text = checked(answer).headers.get("upload-offset", "")
        if not text.isdecimal():
            raise AddressUnusable(f"what answers at {answer.url} does not say how much has arrived")
        if int(text) > self.file.size:
            raise SourceChanged(f"more bytes have arrived than {self.file.path} has")
        return int(text)
