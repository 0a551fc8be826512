"""Reads a remote file as a decoder needs it, with seeks, by HTTP range requests for whole blocks."""

from __future__ import annotations

from collections import OrderedDict
from types import TracebackType

import httpx

from service.errors.storage import StorageUnavailable
from service.text import plural
from service.types import RemoteFile
from service.video.seeking import SeekableFile

BLOCK_BYTES = 4 << 20
"""Bytes of a request: it costs tens of milliseconds at an object store whatever its size, so it is large."""
BLOCKS_KEPT = 4
"""How many blocks are kept: sound and picture of a badly interleaved file lie far apart and are read in turns."""
TRIES = 3


class RangedFile(SeekableFile):
    """Read-only and seekable. Raises StorageUnavailable unless the store answers with the bytes asked for."""

    def __init__(self, file: RemoteFile) -> None:
        super().__init__(file.bytes)
        self._file = file
        self._client = httpx.Client(timeout=httpx.Timeout(30.0, connect=5.0), trust_env=False)
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, size: int = -1) -> bytes:
        """Returns up to ``size`` bytes, fewer at the end of a block or of the file."""
        if self._at >= self._file.bytes:
            return b""
        number, offset = divmod(self._at, BLOCK_BYTES)
        data = self._block(number)[offset:] if size < 0 else self._block(number)[offset : offset + size]
        self._at += len(data)
        return data

    def close(self) -> None:
        self._client.close()
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            self._blocks[number] = self._fetch(number)
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fetch(self, number: int) -> bytes:
        first = number * BLOCK_BYTES
        last = min(first + BLOCK_BYTES, self._file.bytes) - 1
        for tries in range(1, TRIES + 1):
            try:
                answer = self._client.get(self._file.url, headers={"Range": f"bytes={first}-{last}"})
            except httpx.TransportError as error:
                if tries == TRIES:
                    raise StorageUnavailable(f"The object store does not answer: {error}") from error
                continue
            if answer.status_code == httpx.codes.PARTIAL_CONTENT and len(answer.content) == last - first + 1:
                return answer.content
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR or tries == TRIES:
                raise StorageUnavailable(
                    f"The object store answered {answer.status_code} with {plural(len(answer.content), 'byte')}."
                )
        raise AssertionError("the last try returns or raises")
