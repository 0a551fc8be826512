"""Turns text subtitles of one kind into plain text of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.stream import Stream
from av.subtitles.subtitle import AssSubtitle

from service.video.container import open_video, packets_of

MILLISECONDS = Fraction(1, 1000)
_OVERRIDES = re.compile(rb"\{[^}]*\}")
"""ASS, as which FFmpeg gives all text subtitles, writes styles in braces."""
_MOV_TEXT = "mov_text"
_LENGTH_BYTES = 2
_LONGEST = 0xFFFF
"""Bytes of text that a mov_text packet holds."""


class TextConverter:
    """Decodes the packets of one subtitle stream and writes their text for the result."""

    def __init__(self, original: Stream, output: Stream, codec: str) -> None:
        self._original, self._output, self._codec = original, output, codec
        self.texts = 0
        """How many were written."""

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        """Yields the text on the result's clock, whose zero is ``shift`` seconds of the source's."""
        if not packet.size or packet.pts is None:
            return
        text = plain_text(packet)
        if not text:
            return
        begin = packet.pts * packet.time_base - shift
        start, end = max(begin, Fraction(0)), begin + (packet.duration or 0) * packet.time_base
        if end > 0:  # else it is over before an excerpt begins
            yield self._packet(text, start, end - start)
            self.texts += 1

    def finish(self) -> Iterator[Packet[Any]]:
        """Yields nothing: a text is not held back."""
        yield from ()

    def _packet(self, text: bytes, start: Fraction, duration: Fraction) -> Packet[Any]:
        payload = text[:_LONGEST]
        if self._codec == _MOV_TEXT:
            payload = len(payload).to_bytes(_LENGTH_BYTES) + payload
        made = av.Packet(payload)
        made.stream, made.time_base = self._output, MILLISECONDS
        made.pts = made.dts = round(start / MILLISECONDS)
        made.duration = max(round(duration / MILLISECONDS), 1)
        return made


def plain_texts(path: Path, index: int) -> tuple[str, ...]:
    """Returns the lines of a stream of text subtitles without their styles; none for pictures."""
    with open_video(path) as container:
        stream = container.streams[index]
        texts = (plain_text(packet) for packet in packets_of(container, stream) if packet.size)
        return tuple(text.decode("utf-8", "replace") for text in texts if text)


def plain_text(packet: Packet[Any]) -> bytes:
    """Returns the text of a packet, in UTF-8; none where it does not decode, or is a picture."""
    try:
        subtitles = packet.decode()
    except av.FFmpegError:
        return b""
    lines = [each.dialogue for each in subtitles if isinstance(each, AssSubtitle)]
    plain = (_OVERRIDES.sub(b"", line).replace(b"\\N", b"\n").replace(b"\\h", b" ") for line in lines)
    return b"\n".join(line.strip() for line in plain).strip()
