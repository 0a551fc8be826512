"""Downloads the video of an ``input_url``, and goes on where a connection broke if its server can."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Protocol
from urllib.parse import urljoin

from service.errors.outbound import AddressRefused, FetchFailed, FetchRefused
from service.errors.upload import UploadTooLarge
from service.outbound.address import Target, read_target
from service.outbound.connection import Dialer, reason_of
from service.text import plural, presentable

CHUNK_BYTES = 256 << 10
MOST_REDIRECTS = 5
FIRST_PAUSE_S = 0.5
MOST_BREAKS = 3
"""Breaks in a row, without a byte in between, after which the download is put off."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.LOCKED}
)
_SERVERS_FAULT = 500
_NO_VIDEO = frozenset(
    {"text/html", "application/xhtml+xml", "application/xml", "text/xml", "application/json", "text/css"}
)
"""What a server says of a page for people or of an error; of a video some say ``text/plain``."""
_PAGE = re.compile(rb"\s*<(!doctype html|html|\?xml|error)", re.IGNORECASE)
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


class Sink(Protocol):
    """Takes what is downloaded. Its exceptions end the download."""

    def begin(self, total: int | None) -> None:
        """Forgets what came before: a file of ``total`` bytes begins, None if nobody says how many."""
        ...

    def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        ...

    def pause(self, seconds: float) -> None:
        """Waits, or raises because nobody wants the file any more."""
        ...


@dataclass
class _Part:
    """What has arrived so far, and how to ask for the rest."""

    offset: int = 0
    total: int | None = None
    validator: str | None = None
    """A strong ETag, or the time of the last change: by one of these a server knows whether it is still the same."""

    def headers(self) -> dict[str, str]:
        """Asks for the rest, or for the whole where that cannot be."""
        if not self.offset or self.validator is None:
            return {}
        return {"Range": f"bytes={self.offset}-", "If-Range": self.validator}


class Downloader:
    """Downloads files of at most ``max_bytes``, each within ``whole_s`` seconds."""

    def __init__(
        self, dialer: Dialer, max_bytes: int, whole_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dialer = dialer
        self._max_bytes = max_bytes
        self._whole_s = whole_s
        self._clock = clock

    def download(self, url: str, sink: Sink) -> None:
        """Hands the file at ``url`` to ``sink``, whole and in order.

        Raises AddressRefused, FetchRefused and UploadTooLarge for good, FetchFailed for now, and what the sink raises.
        """
        part, breaks, deadline = _Part(), 0, self._clock() + self._whole_s
        while True:
            before = part.offset
            try:
                self._attempt(url, part, sink, deadline)
                return
            except FetchFailed:
                breaks = 1 if part.offset > before else breaks + 1
                if breaks > MOST_BREAKS or self._clock() >= deadline:
                    raise
            sink.pause(FIRST_PAUSE_S * 2 ** (breaks - 1))

    def _attempt(self, url: str, part: _Part, sink: Sink, deadline: float) -> None:
        target = read_target(url)
        for _ in range(MOST_REDIRECTS + 1):
            left = max(1.0, deadline - self._clock())
            try:
                with self._dialer.connected(target, left) as connection:
                    headers = {"User-Agent": "cdvd", "Accept-Encoding": "identity", **part.headers()}
                    connection.request("GET", target.path, headers=headers)
                    answer = connection.getresponse()
                    if answer.status not in _REDIRECTS:
                        self._take(answer, part, sink, deadline)
                        return
                    target = _redirected(target, answer)
            except (OSError, HTTPException, UnicodeError) as error:
                raise FetchFailed(f"The server of the video does not answer: {reason_of(error)}.") from error
        raise FetchRefused(f"The server of the video redirects more than {MOST_REDIRECTS} times.")

    def _take(self, answer: HTTPResponse, part: _Part, sink: Sink, deadline: float) -> None:
        _require_video(answer, part)
        if answer.status != HTTPStatus.PARTIAL_CONTENT or not part.offset:
            part.offset, part.total, part.validator = 0, answer.length, _validator(answer)
            self._require_size(part.total or 0)
            sink.begin(part.total)
        while data := answer.read1(CHUNK_BYTES):
            if not part.offset and _PAGE.match(data):
                raise FetchRefused("The server of the video sends a page or an error in its place.")
            self._require_size(part.offset + len(data))
            sink.write(data)
            part.offset += len(data)
        if part.total is not None and part.offset < part.total:
            there = f"{part.offset} of {plural(part.total, 'byte')}"
            raise FetchFailed(f"The server of the video broke off after {there}.")
        if part.total is None and self._clock() >= deadline:  # Cut off here, which looks like its end.
            raise FetchFailed("The server of the video takes too long.")

    def _require_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise UploadTooLarge(
                f"The video is larger than the limit, which is {plural(self._max_bytes, 'byte')}."
            )


def _require_video(answer: HTTPResponse, part: _Part) -> None:
    """Raises FetchFailed for an answer that may be another one later, and FetchRefused for what can be no video."""
    status = answer.status
    if status >= _SERVERS_FAULT or status in _LATER:
        raise FetchFailed(f"The server of the video answers {status}.")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not _goes_on(answer, part):
        part.offset, part.validator = 0, None  # Another file by now: from the beginning.
        raise FetchFailed("The server of the video sends another part than it was asked for.")
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        raise FetchRefused(f"The server of the video answers {status}.")
    kind = answer.headers.get_content_type() if "content-type" in answer.headers else ""
    coding = answer.headers.get("content-encoding", "identity")
    if kind in _NO_VIDEO or coding != "identity":
        said = kind if coding == "identity" else coding
        raise FetchRefused(f"The server of the video sends {presentable(said, 64)}, which is no video.")


def _goes_on(answer: HTTPResponse, part: _Part) -> bool:
    """Returns whether a partial answer begins where the part ends, in a file of the same size."""
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return True
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    return found is not None and (int(found[1]), int(found[2])) == (part.offset, part.total)


def _validator(answer: HTTPResponse) -> str | None:
    tag = answer.headers.get("etag", "")
    return tag if tag.startswith('"') else answer.headers.get("last-modified")


def _redirected(target: Target, answer: HTTPResponse) -> Target:
    """Returns where a redirect leads, which is checked as the first address was. Raises AddressRefused."""
    scheme = "https" if target.secure else "http"
    host = f"[{target.host}]" if ":" in target.host else target.host
    url = urljoin(f"{scheme}://{host}:{target.port}{target.path}", answer.headers.get("location", ""))
    found = read_target(url.partition("#")[0])
    if target.secure and not found.secure:
        raise AddressRefused("The server of the video redirects from https to http.")
    return found
