"""Sends a file to an ``output_url`` with one PUT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from service.errors.outbound import SendFailed
from service.outbound.address import read_target
from service.outbound.connection import Dialer, reason_of

CHUNK_BYTES = 256 << 10
ANSWER_BYTES = 4096
"""Bytes of the answer that are read, so that the server sees a clean end; only the status matters."""


class Sender:
    """Sends files, each within ``whole_s`` seconds."""

    def __init__(self, dialer: Dialer, whole_s: float) -> None:
        self._dialer = dialer
        self._whole_s = whole_s

    def put(self, url: str, video: Path, media_type: str, go_on: Callable[[], None]) -> int:
        """Sends a file and returns the HTTP status of the answer. Redirects are not followed.

        ``go_on`` is called between its parts, and what it raises ends the transfer.
        Raises AddressRefused for a forbidden address and SendFailed without an answer.
        """
        headers = {
            "Content-Type": media_type,
            "Content-Length": str(video.stat().st_size),
            "User-Agent": "cdvd",
        }
        try:
            target = read_target(url)
            with self._dialer.connected(target, self._whole_s) as connection:
                with suppress(
                    BrokenPipeError, ConnectionResetError
                ):  # An early refusal: its answer may be there.
                    connection.request("PUT", target.path, _parts(video, go_on), headers)
                answer = connection.getresponse()
                with suppress(OSError, HTTPException):
                    answer.read(ANSWER_BYTES)
                return answer.status
        except (OSError, HTTPException, UnicodeError) as error:
            raise SendFailed(f"The receiver did not answer: {reason_of(error)}.") from error


def _parts(video: Path, go_on: Callable[[], None]) -> Iterator[bytes]:
    with video.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            go_on()
            yield data
