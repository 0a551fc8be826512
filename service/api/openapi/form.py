"""The multipart forms that routes read by themselves, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from service.api.upload.multipart import FILE_PART, SOURCE_FIELD, UPLOAD_FIELD
from service.options import JobOptions, form_fields

MULTIPART = "multipart/form-data"
_FILE = {"type": "string", "format": "binary", "description": "Is the file."}
_UPLOAD = {"type": "string", "description": "Is the id of a complete upload from /uploads."}

_SOURCE = {"type": "string", "description": "Is the id of a job whose video is restored once more."}


def job_form() -> dict[str, Any]:
    """Returns the schema of ``POST /jobs``: a file, or what takes its place, and options."""
    videos = {FILE_PART: _FILE, UPLOAD_FIELD: _UPLOAD, SOURCE_FIELD: _SOURCE}
    return {
        **_form(videos),
        "oneOf": [{"required": [name]} for name in videos],
        "description": f"`{FILE_PART}`, or `{UPLOAD_FIELD}` or `{SOURCE_FIELD}` in its place.",
    }


def option_parameters() -> list[dict[str, Any]]:
    """Returns the options of a job as query parameters, which are read before anything of the body is."""
    return [
        {"in": "query", "name": name, "description": schema.get("description", ""), "schema": schema}
        for name, schema in form_fields(JobOptions).items()
    ]


def estimate_form() -> dict[str, Any]:
    """Returns the schema of a video that is sent to ``POST /estimates``."""
    return {**_form({FILE_PART: _FILE}), "required": [FILE_PART]}


def _form(files: dict[str, Any]) -> dict[str, Any]:
    properties = {**files, **form_fields(JobOptions)}
    return {"type": "object", "additionalProperties": False, "properties": properties}
