"""Metadata of files and streams: which of it is content, and how a container is made to hold it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_OF_THE_FILE = re.compile(
    r"major_brand|minor_version|compatible_brands|encoder|software|duration|bps|number_of_(frames|bytes)|_statistics_.*"
    r"|vendor_id|creation_time|location-...|alpha_mode|source_id|.*_umid|(product|toolkit|operational|generation|company).*"
    r"|application_platform|uid|handler_name|timecode|language|filename|mimetype",
)
"""Keys that describe how a file was written, or that are kept by other means; not its content."""
_DEFAULT_HANDLERS = {"VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler", "TimeCodeHandler"}

_ITUNES = re.compile(
    r"title|artist|album_artist|composer|album|date|comment|genre|copyright|grouping|lyrics|description|synopsis|show"
    r"|episode_id|network|keywords|encoder|creation_time|track|disc|location.*|major_brand|minor_version|compatible_brands"
)
"""What MP4 and MOV store in their usual places. Other keys need Apple's `mdta` list, where FFmpeg then puts all."""

_OF_STREAMS = {"mp4": {"title", "name"}, "mov": {"title", "name"}}
"""The only tags of streams, beside language and handler, that MP4 and MOV hold; MKV holds all."""


def global_tags(given: Mapping[str, str]) -> dict[str, str]:
    """Returns the metadata that a result gets from its source."""
    left_out = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    return {key: value for key, value in given.items() if key.lower() not in left_out}


def needs_mdta(given: Mapping[str, str]) -> bool:
    """Returns whether MP4 and MOV hold some of the keys only in Apple's list."""
    return any(not _ITUNES.fullmatch(key.lower()) for key in global_tags(given))


def stream_tags(given: Mapping[str, str]) -> dict[str, str]:
    """Returns the metadata that a stream of a result gets; MP4 reads a title back as ``name`` and writes ``title``."""
    dropped = re.compile(
        r"duration|bps.*|number_of_.*|_statistics_.*|vendor_id|encoder|alpha_mode", re.IGNORECASE
    )
    kept = {key: value for key, value in given.items() if not dropped.fullmatch(key)}
    if "name" in kept:
        kept.setdefault("title", kept.pop("name"))
    return kept


def content(given: Mapping[str, str]) -> dict[str, str]:
    """Returns the metadata that a viewer would miss, with keys in lower case and a handler that somebody chose."""
    kept = {key.lower(): value for key, value in given.items() if not _OF_THE_FILE.fullmatch(key.lower())}
    if "name" in kept:
        kept.setdefault("title", kept.pop("name"))
    handler = given.get("handler_name") or given.get("HANDLER_NAME")
    if handler and handler not in _DEFAULT_HANDLERS:
        kept["handler_name"] = handler
    language = given.get("language")
    if language and language != "und":
        kept["language"] = language
    return kept


def unheld(given: Mapping[str, str], container: str) -> list[str]:
    """Returns the keys of a stream's content that a container has no place for."""
    places = _OF_STREAMS.get(container)
    if places is None:
        return []
    return sorted(set(content(given)) - places - {"handler_name", "language"})
