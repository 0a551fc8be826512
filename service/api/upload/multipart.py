"""Parses the form of ``POST /jobs`` while it streams in: the file goes to a sink, the fields are collected.

The framework's own form parser would take the whole body, without limit, before the handler runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors.upload import MalformedRequest
from service.submission.filenames import clean_filename

FILE_PART = "video"
UPLOAD_FIELD = "upload"
"""Takes the place of the file: the id of a resumable upload."""
SOURCE_FIELD = "source"
"""Takes the place of the file: the id of a job whose upload is restored once more."""
MAX_FIELDS = 32
MAX_FIELD_BYTES = 4096


class UploadForm:
    """Takes the body in chunks; afterwards ``filename`` and ``fields`` hold what came with the file.

    ``on_data`` receives the file's bytes in order, and ``before_file`` the fields that came ahead of them. Their
    exceptions and MalformedRequest come out of ``feed``.
    """

    def __init__(
        self,
        boundary: bytes,
        on_data: Callable[[bytes], None],
        before_file: Callable[[dict[str, str]], object] = dict,
    ) -> None:
        self.filename: str | None = None
        self.fields: dict[str, str] = {}
        self._on_data = on_data
        self._before_file = before_file
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._field: str | None = None
        self._value = bytearray()
        self._complete = False
        self._parser = _parser(boundary, self._callbacks())

    def feed(self, chunk: bytes) -> None:
        """Parses the next bytes of the body. Raises MalformedRequest, and what ``on_data`` raises."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest(f"The multipart form cannot be read: {error}") from error

    def close(self) -> None:
        """Ends the body. Raises MalformedRequest if the form has not ended, or holds no file."""
        if not self._complete:
            raise MalformedRequest("The body ended before the multipart form did.")
        given = [self.filename is not None, *(name in self.fields for name in (UPLOAD_FIELD, SOURCE_FIELD))]
        if sum(given) != 1:
            raise MalformedRequest(
                f"The form needs one of these: a file part {FILE_PART!r}, a field {UPLOAD_FIELD!r} or {SOURCE_FIELD!r}."
            )

    def _callbacks(self) -> dict[str, Callable[..., Any]]:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._part_known,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._disposition = b""
        self._field = None
        self._value.clear()

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _part_known(self) -> None:
        """Decides what a part is, once its headers are there and before a byte of it is taken."""
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name == FILE_PART:
            self._begin_file(options.get(b"filename"))
        elif b"filename" in options:
            raise MalformedRequest(f"The file part must be named {FILE_PART!r}, not {name[:64]!r}.")
        elif not name or name in self.fields or len(self.fields) >= MAX_FIELDS:
            raise MalformedRequest(
                f"Each form field needs a name of its own, and there may be {MAX_FIELDS} fields."
            )
        else:
            self._field = name

    def _begin_file(self, filename: bytes | None) -> None:
        if self.filename is not None:
            raise MalformedRequest(f"The form has more than one part named {FILE_PART!r}.")
        self.filename = clean_filename((filename or b"").decode("utf-8", "replace"))
        places = (UPLOAD_FIELD, SOURCE_FIELD)
        self._before_file({name: value for name, value in self.fields.items() if name not in places})

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._on_data(data[start:end])
            return
        self._value.extend(data[start:end])
        if len(self._value) > MAX_FIELD_BYTES:
            raise MalformedRequest(
                f"The form field {self._field[:64]!r} is longer than {MAX_FIELD_BYTES} bytes."
            )

    def _part_end(self) -> None:
        if self._field is not None:
            self.fields[self._field] = self._value.decode("utf-8", "replace")

    def _end(self) -> None:
        self._complete = True


def boundary_of(content_type: str) -> bytes:
    """Returns the boundary in a Content-Type header. Raises MalformedRequest."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise MalformedRequest(f"Send multipart/form-data with a file part named {FILE_PART!r}.")
    return boundary


def _parser(boundary: bytes, callbacks: dict[str, Callable[..., Any]]) -> MultipartParser:
    try:
        return MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # a TypedDict with the same keys
    except FormParserError as error:
        raise MalformedRequest(f"The multipart form cannot be read: {error}") from error
