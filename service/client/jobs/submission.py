"""Submits a video: in one form, or by a resumable upload (tus 1.0) that survives broken connections."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path

from service.client.effects import Operation, call, pause, work
from service.client.errors import AddressUnusable, ClientError, RequestRejected, SourceChanged
from service.client.http.answers import job_from, require_success
from service.client.http.calls import Answer, Call, FilePart, TransferCallback
from service.client.http.form import form_call
from service.client.model import Job
from service.client.retry_policy import RetryPolicy, retrying

RESUMABLE_FROM_BYTES = 16 << 20
"""Sending a smaller file again from its beginning costs less than two more requests for every file."""

SILENCE_S = 60.0
SLOW_STORE_BYTES_PER_S = 10e6
"""A service may move an upload to its place, and probe it, before it answers."""

_TUS = {"Tus-Resumable": "1.0.0"}
_NO_UPLOADS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True)
class Submission:
    """A video and how it is sent. ``fields`` are the text parts of POST /jobs; ``key`` is the Idempotency-Key, which
    lets all attempts make one job.
    """

    video: Path
    key: str
    fields: Mapping[str, str] = field(default_factory=dict)
    resumable_from: int = RESUMABLE_FROM_BYTES
    on_sent: TransferCallback | None = None
    upload: str | None = None
    """The id of a resumable upload of the same video that was begun earlier."""
    on_upload: Callable[[str], None] | None = None
    """Called with the id of the resumable upload as soon as it has one."""


def submit(submission: Submission, outage_s: float) -> Operation[Job]:
    """Sends a video and returns its queued job.

    Raises RequestRejected, ServiceUnreachable, SourceChanged, OSError.
    """
    stat = yield from work(submission.video.stat)
    file = FilePart(submission.video, stat.st_size, on_sent=submission.on_sent)
    if file.size >= submission.resumable_from:
        upload = _ResumableUpload(file, outage_s, submission.on_upload)
        if submission.upload and not (yield from upload.take_up(submission.upload)):
            earlier = yield from _job_of(submission, upload.file)
            if earlier:
                return earlier
        if (yield from upload.send()):
            return (yield from _submit_upload(submission, upload, stat, outage_s))

    def attempt() -> Operation[Job]:
        return _post(submission, submission.fields, file, file)

    return (yield from retrying(attempt, RetryPolicy(outage_s)))


def _submit_upload(
    submission: Submission, upload: _ResumableUpload, before: os.stat_result, outage_s: float
) -> Operation[Job]:
    """Makes a job of an upload, and deletes the upload if it becomes none."""

    def attempt() -> Operation[Job]:
        return _post(submission, {**submission.fields, "upload": upload.id}, upload.file)

    try:
        after = yield from work(submission.video.stat)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise SourceChanged(f"{submission.video} changed while it was sent; send it again.")
        return (yield from retrying(attempt, RetryPolicy(outage_s)))
    except (RequestRejected, SourceChanged):
        yield from upload.give_up()
        raise


def _job_of(submission: Submission, file: FilePart) -> Operation[Job | None]:
    """Returns the job that the earlier upload has become, if the service says so under the same key."""
    fields = {**submission.fields, "upload": submission.upload or ""}
    try:
        return (yield from _post(submission, fields, file))
    except RequestRejected as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _post(
    submission: Submission, fields: Mapping[str, str], stored: FilePart, file: FilePart | None = None
) -> Operation[Job]:
    """Posts the form, with the ``file`` unless the service has ``stored`` it already."""
    request = form_call("/jobs", fields, file, {"Idempotency-Key": submission.key})
    silence_s = SILENCE_S + stored.size / SLOW_STORE_BYTES_PER_S
    return job_from((yield from call(replace(request, silence_s=silence_s))))


class _ResumableUpload:
    """A resumable upload of one file."""

    def __init__(
        self, file: FilePart, outage_s: float, on_upload: Callable[[str], None] | None = None
    ) -> None:
        self.file, self._outage_s, self._on_upload = file, outage_s, on_upload
        self.id = ""
        self._sent = 0

    @property
    def _path(self) -> str:
        return f"/uploads/{self.id}"

    def take_up(self, upload_id: str) -> Operation[bool]:
        """Goes on with an upload that was begun earlier. Returns False where the service no longer has it."""
        self.id = upload_id
        try:
            self._sent = yield from retrying(self._offset, RetryPolicy(self._outage_s))
        except (RequestRejected, SourceChanged) as error:
            if isinstance(error, RequestRejected) and error.status not in _GONE:
                raise
            self.id = ""
        return bool(self.id)

    def send(self) -> Operation[bool]:
        """Sends all that is missing of the file, over as many connections as it takes.

        Returns False where the service takes no resumable uploads. Raises ClientError.
        """
        if not self.id and not (yield from retrying(self._create, RetryPolicy(self._outage_s))):
            return False
        policy = RetryPolicy(self._outage_s)
        policy.reset()
        while self._sent < self.file.size:
            try:
                self._sent = yield from self._append(self._sent)
            except ClientError as error:
                yield from pause(policy.delay_after(error))
                before = self._sent
                self._sent = yield from retrying(self._offset, RetryPolicy(self._outage_s))
                if self._sent > before:
                    policy.reset()
        return True

    def give_up(self) -> Operation[None]:
        """Deletes the upload at the service, where it would expire by itself, later."""
        with suppress(ClientError):
            yield from call(Call("DELETE", self._path, headers=_TUS))

    def _create(self) -> Operation[bool]:
        """Begins the upload. Returns False where the service takes none."""
        name = base64.b64encode(self.file.path.name.encode("utf-8", "surrogateescape")).decode()
        headers = {
            **_TUS,
            "Upload-Length": str(self.file.size),
            "Upload-Metadata": f"filename {name}",
        }
        answer = yield from call(Call("POST", "/uploads", headers=headers))
        if answer.status in _NO_UPLOADS:
            return False
        self.id = require_success(answer).headers.get("location", "").rpartition("/")[2]
        if not self.id:
            raise AddressUnusable(f"What answers at {answer.url} takes no resumable uploads.")
        if self._on_upload:
            yield from work(partial(self._on_upload, self.id))
        return True

    def _append(self, offset: int) -> Operation[int]:
        """Sends all that is missing, and returns the new offset; the service keeps what arrives of it."""
        rest = FilePart(self.file.path, self.file.size, offset, self.file.on_sent)
        headers = {
            **_TUS,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return self._offset_in(
            (yield from call(Call("PATCH", self._path, headers=headers, file=rest, silence_s=SILENCE_S)))
        )

    def _offset(self) -> Operation[int]:
        """Asks how many bytes have arrived."""
        answer = yield from call(Call("HEAD", self._path, headers=_TUS))
        if answer.status in _GONE:  # the answer to HEAD has no body that would say so
            raise RequestRejected(
                "The upload expired before it was complete.", "upload_not_found", answer.status
            )
        return self._offset_in(answer)

    def _offset_in(self, answer: Answer) -> int:
        text = require_success(answer).headers.get("upload-offset", "")
        if not text.isdecimal():
            raise AddressUnusable(f"What answers at {answer.url} does not say how much has arrived.")
        if int(text) > self.file.size:
            raise SourceChanged(f"More bytes have arrived than {self.file.path} has.")
        return int(text)
