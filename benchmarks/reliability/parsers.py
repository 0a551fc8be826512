"""Gives one parser of the gateway inputs that nobody foresaw, led by coverage (``fuzz`` runs it).

Every parser may refuse with errors of the service, and with nothing else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["service", "python_multipart"]):
    from service.api.upload import tus
    from service.api.upload.multipart import UploadForm, boundary_of
    from service.errors.base import ServiceError
    from service.options import JobOptions
    from service.outbound.address import is_public, read_target

from starlette.responses import PlainTextResponse

from service.api.middleware.guard import Guard


def main() -> None:
    """Runs the parser named by the first argument for the seconds of the second; a crash ends with an exit status."""
    name, seconds = sys.argv[1:]

    def once(data: bytes) -> None:
        with suppress(ServiceError):
            PARSERS[name](data)

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", "-verbosity=1"], once)
    atheris.Fuzz()


def _form(data: bytes) -> None:
    form = UploadForm(b"x", lambda _: None)
    for start in range(0, len(data), 97):
        form.feed(data[start : start + 97])
    form.close()


def _content_type(data: bytes) -> None:
    boundary = boundary_of(data.decode("latin-1"))
    UploadForm(boundary, lambda _: None).feed(b"--" + boundary + b"\r\n")


def _tus(data: bytes) -> None:
    text = data.decode("latin-1")
    headers = {"upload-length": text, "upload-offset": text, "upload-metadata": text, "upload-checksum": text}
    for read in (tus.upload_offset, tus.upload_checksum):
        with suppress(ServiceError):
            read(headers)
    with suppress(ServiceError):
        tus.upload_length(headers, 1 << 30)
    tus.filename_in(tus.upload_metadata(headers))


def _options(data: bytes) -> None:
    lines = data.decode("utf-8", "replace").split("\n")
    names = [*JobOptions.model_fields, "unknown"]
    JobOptions.from_text({names[ord(line[0]) % len(names)]: line[1:] for line in lines if line})


def _webhook(data: bytes) -> None:
    target = read_target(data.decode("utf-8", "replace"))
    with suppress(ValueError):  # a name rather than an address
        is_public(target.host)


def _host(data: bytes) -> None:
    """Goes through the guard of every request with the bytes as Host and Origin."""
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"host", data), (b"origin", data)]}

    async def ignore(_message: object) -> None:
        return None

    async def nothing() -> dict[str, object]:
        return {"type": "http.request"}

    guard = Guard(PlainTextResponse("in"), None)
    asyncio.run(guard(scope, nothing, ignore))  # type: ignore[arg-type]


PARSERS: dict[str, Callable[[bytes], None]] = {
    "form": _form,
    "content-type": _content_type,
    "tus": _tus,
    "options": _options,
    "webhook": _webhook,
    "host": _host,
}

if __name__ == "__main__":
    main()
