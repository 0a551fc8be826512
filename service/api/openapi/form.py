"""The multipart forms that routes read by themselves, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from service.api.upload.multipart import FILE_PART, UPLOAD_FIELD
from service.options import JobOptions, form_fields

MULTIPART = "multipart/form-data"
_FILE = {"type": "string", "format": "binary", "description": "Is the file."}
_UPLOAD = {"type": "string", "description": "Is the id of a complete upload from /uploads."}


def job_form() -> dict[str, Any]:
    """Returns the schema of ``POST /jobs``: a file, or a resumable upload in its place, and options."""
    return {
        **_form({FILE_PART: _FILE, UPLOAD_FIELD: _UPLOAD}),
        "oneOf": [{"required": [FILE_PART]}, {"required": [UPLOAD_FIELD]}],
        "description": f"`{FILE_PART}`, or `{UPLOAD_FIELD}` in its place.",
    }


def estimate_form() -> dict[str, Any]:
    """Returns the schema of a video that is sent to ``POST /estimates``."""
    return {**_form({FILE_PART: _FILE}), "required": [FILE_PART]}


def _form(files: dict[str, Any]) -> dict[str, Any]:
    properties = {**files, **form_fields(JobOptions)}
    return {"type": "object", "additionalProperties": False, "properties": properties}
