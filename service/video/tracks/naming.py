"""Names streams for people and for the muxers."""

from __future__ import annotations

from av.stream import Disposition, Stream

from service.text import Value, written

LABELS = {"mp4": "MP4", "mov": "MOV", "mkv": "MKV", "webm": "WebM"}
"""The containers of results, as people write them."""

_TITLES = {
    "audio": "part.sound",
    "subtitle": "part.subtitles",
    "video": "part.video",
    "data": "part.data",
    "attachment": "part.attachment",
}
_UNKNOWN = "unknown codec"
_NO_LANGUAGE = (None, "", "und")


def codec_name(stream: Stream) -> str:
    """Returns the name of the codec, whatever decodes it."""
    if stream.codec_context is not None:
        return stream.codec_context.codec.canonical_name
    return str(
        getattr(stream, "name", None) or _UNKNOWN
    )  # streams of picture and sound have no name of their own


def title_of(stream: Stream) -> str:
    """Returns a name such as ``Sound of stream 1 (aac, fra)``."""
    values = titled(stream)
    return written(str(values["title"]), values)


def titled(stream: Stream) -> dict[str, Value]:
    """Returns the name as values of a phrase that has a ``title``."""
    if stream.type == "video" and stream.disposition & Disposition.attached_pic:
        return {"title": "part.cover", "number": stream.index}
    more = [codec_name(stream)]
    if stream.type == "attachment":
        more = [stream.name or "without a name"]
    if stream.metadata.get("language") not in _NO_LANGUAGE:
        more.append(stream.metadata["language"])
    title = _TITLES.get(stream.type, "part.stream")
    return {"title": title, "number": stream.index, "details": ", ".join(more)}
