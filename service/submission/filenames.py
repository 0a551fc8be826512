"""Names of videos as they are shown, from names that others chose."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

FALLBACK_NAME = "video"


def clean_filename(name: str) -> str:
    """Makes a client's file name fit to show: without directories and control characters, at most 200 long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in last if character.isprintable()).strip(" .")
    return shown[-200:] or FALLBACK_NAME


def filename_in(url: str) -> str:
    """Returns the name of the file that a URL seems to lead to."""
    return clean_filename(unquote(urlsplit(url).path))
