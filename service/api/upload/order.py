"""Reads the JSON of ``POST /jobs``: a video that the service is to fetch."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field
from starlette.requests import Request

from service.api.upload.json_body import json_body
from service.api.upload.receiving import given_together
from service.jobs.job import Order
from service.options import JobOptions
from service.outbound.address import LONGEST_URL
from service.submission.texts import texts_of

JSON = "application/json"


class UrlSubmission(JobOptions):
    """A video on another server, and what is asked for with it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={
            "examples": [
                {"input_url": "https://media.example.org/holiday.mp4"},
                {
                    "input_url": "https://media.example.org/holiday.mp4?signature=6f1c",
                    "output_url": "https://bucket.example.org/sharp.mp4?signature=93ab",
                    "webhook_url": "https://app.example.org/hooks/deblurred",
                    "quality": "good",
                    "codec": "hevc",
                },
            ]
        },
    )

    input_url: str = Field(
        max_length=LONGEST_URL,
        description="Names the video, by http or https; the service fetches it, and goes on where a connection broke.",
        json_schema_extra={"format": "uri"},
    )


async def received_order(request: Request) -> Order:
    """Returns what a request asks for, with the options in its query.

    Raises MalformedRequest, InvalidOption and RequestValidationError.
    """
    query = dict(request.query_params)
    JobOptions.from_text(query)
    asked = await json_body(request, UrlSubmission)
    return Order(asked.input_url, given_together(query, texts_of(asked, ("input_url",))))


def order_schema() -> dict[str, Any]:
    """Returns the schema of such a body."""
    return UrlSubmission.model_json_schema()
