"""Builds the multipart form of ``POST /jobs`` (RFC 7578), whose exact length is known before it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from service.client.http.calls import Call, FilePart

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""Names in forms are escaped as browsers do it."""


def form_call(
    path: str,
    fields: Mapping[str, str],
    file: FilePart | None = None,
    headers: Mapping[str, str] | None = None,
) -> Call:
    """Returns a POST with the fields ahead of the file: they can be refused before a byte of video is read."""
    boundary = uuid.uuid4().hex
    body = "".join(_part(boundary, f'name="{_quoted(name)}"', value) for name, value in fields.items())
    if file:
        body += _part(
            boundary, f'name="video"; filename="{_quoted(file.path.name)}"', "", "application/octet-stream"
        ).removesuffix("\r\n")
    return Call(
        "POST",
        path,
        headers={**(headers or {}), "Content-Type": f"multipart/form-data; boundary={boundary}"},
        body=body.encode("utf-8", "surrogateescape"),
        file=file,
        ending=(("\r\n" if file else "") + f"--{boundary}--\r\n").encode(),
    )


def _part(boundary: str, disposition: str, value: str, kind: str | None = None) -> str:
    about = f"Content-Type: {kind}\r\n" if kind else ""
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{about}\r\n{value}\r\n"


def _quoted(name: str) -> str:
    return name.translate(_ESCAPES)
