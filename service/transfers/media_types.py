"""Names containers as HTTP does."""

from __future__ import annotations

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
}
OTHER_MEDIA = "application/octet-stream"
"""Of a container that has no name there."""


def media_type(container: str) -> str:
    """Returns the Content-Type of a video in a container."""
    return MEDIA_TYPES.get(container, OTHER_MEDIA)
