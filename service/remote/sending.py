"""Submitting a video: in one form, or by a resumable upload (tus 1.0) that goes on where a connection broke."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from service.errors import AddressUnusable, ClientError, RequestRejected, SourceChanged
from service.remote.answers import checked, job_in
from service.remote.form import form_call
from service.remote.model import Job
from service.remote.patience import Patience, patiently
from service.remote.steps import Answer, Call, FilePart, Flow, Transferred, call, pause, work

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
    size = yield from work(lambda: submission.video.stat().st_size)
    file = FilePart(submission.video, size, on_sent=submission.on_sent)
    fields, patience = dict(submission.fields), Patience(outage_s)
    silence_s = SILENCE_S + size / SLOW_STORE
    if size >= submission.resumable_from:
        upload = yield from _Upload(file, outage_s).send()
        if upload is not None:
            fields["upload"] = upload
            return (yield from patiently(lambda: _post(submission, fields, silence_s), patience))
    return (yield from patiently(lambda: _post(submission, fields, silence_s, file), patience))


def _post(
    submission: Submission, fields: Mapping[str, str], silence_s: float, file: FilePart | None = None
) -> Flow[Job]:
    request = form_call("/jobs", fields, file, {"Idempotency-Key": submission.key})
    return job_in((yield from call(replace(request, silence_s=silence_s))))


class _Upload:
    """One resumable upload."""

    def __init__(self, file: FilePart, outage_s: float) -> None:
        self._file, self._outage_s = file, outage_s
        self._path = ""

    def send(self) -> Flow[str | None]:
        """The id of the complete upload; None where the service takes none."""
        if not (yield from patiently(self._create, Patience(self._outage_s))):
            return None
        stalled = Patience(self._outage_s)
        stalled.calm()
        offset = 0
        while offset < self._file.size:
            try:
                offset = yield from self._append(offset)
            except ClientError as error:
                wait = stalled.after(error)
                yield from pause(wait)
                before, offset = offset, (yield from patiently(self._arrived, Patience(self._outage_s)))
                if offset > before:
                    stalled.calm()
        return self._path.rpartition("/")[2]

    def _create(self) -> Flow[bool]:
        name = base64.b64encode(self._file.path.name.encode("utf-8", "surrogateescape")).decode()
        headers = {
            **_TUS,
            "Upload-Length": str(self._file.size),
            "Upload-Metadata": f"filename {name}",
        }
        answer = yield from call(Call("POST", "/uploads", headers=headers))
        if answer.status in _NO_UPLOADS:
            return False
        upload_id = checked(answer).headers.get("location", "").rpartition("/")[2]
        if not upload_id:
            raise AddressUnusable(f"what answers at {answer.url} takes no resumable uploads")
        self._path = f"/uploads/{upload_id}"
        return True

    def _append(self, offset: int) -> Flow[int]:
        """Send all that is missing; what arrived before a connection breaks is kept over there."""
        rest = FilePart(self._file.path, self._file.size, offset, self._file.on_sent)
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
        if int(text) > self._file.size:
            raise SourceChanged(f"more bytes have arrived than {self._file.path} has")
        return int(text)
