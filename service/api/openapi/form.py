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
    """Returns the schema of ``POST /jobs``: a file, or what takes its place, and options.

    That it is one of them is said in words: as a union, no generator would make a class of it.
    """
    return {
        **_form("JobForm", {FILE_PART: _FILE, UPLOAD_FIELD: _UPLOAD, SOURCE_FIELD: _SOURCE}),
        "description": f"`{FILE_PART}`, or `{UPLOAD_FIELD}` or `{SOURCE_FIELD}` in its place; and options.",
    }


def option_parameters() -> list[dict[str, Any]]:
    """Returns the options of a job as query parameters, which are read before anything of the body is.

    They name no defaults, or generated clients would send these beside the options of the form.
    """
    return [
        {"in": "query", "name": name, "description": schema.get("description", ""), "schema": _bare(schema)}
        for name, schema in form_fields(JobOptions).items()
    ]


def estimate_form() -> dict[str, Any]:
    """Returns the schema of a video that is sent to ``POST /estimates``."""
    return {**_form("EstimateForm", {FILE_PART: _FILE}), "required": [FILE_PART]}


def _form(name: str, files: dict[str, Any]) -> dict[str, Any]:
    properties = {**files, **form_fields(JobOptions)}
    return {"title": name, "type": "object", "additionalProperties": False, "properties": properties}


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("default", "description")}
