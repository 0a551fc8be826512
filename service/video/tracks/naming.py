"""Names streams for people and for the muxers."""

from __future__ import annotations

from av.stream import Disposition, Stream

LABELS = {"mp4": "MP4", "mov": "MOV", "mkv": "MKV", "webm": "WebM"}
"""The containers of results, as people write them."""

_NOUNS = {
    "audio": "Sound",
    "subtitle": "Subtitles",
    "video": "Video",
    "data": "Data",
    "attachment": "Attachment",
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
    if stream.type == "video" and stream.disposition & Disposition.attached_pic:
        return f"The cover picture of stream {stream.index}"
    more = [codec_name(stream)]
    if stream.type == "attachment":
        more = [stream.name or "without a name"]
    if stream.metadata.get("language") not in _NO_LANGUAGE:
        more.append(stream.metadata["language"])
    return f"{_NOUNS.get(stream.type, 'Stream')} of stream {stream.index} ({', '.join(more)})"
