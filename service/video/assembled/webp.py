"""Reads a WebP animation as a video. FFmpeg does not; Pillow decodes it with WebP's own library, frame by frame."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from service.errors.video import DamagedVideo, FrameSizeRejected, NoVideoStream
from service.video.assembled.movie import Frames, movie_head
from service.video.assembled.virtual import VirtualMovie

_TICK = Fraction(1, 1000)
_USUAL_MS = 100
"""What browsers show a frame for whose duration is 0."""
_MOST_PIXELS = 8192 * 8192
_ANIMATED, _ALPHA = 0x02, 0x10
_HEADER = 12


def is_webp(head: bytes) -> bool:
    """Returns whether a file that begins with ``head`` is in WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


@dataclass(frozen=True)
class _Canvas:
    flags: int
    width: int
    height: int


class WebpAnimation:
    """The frames of an animation as raw pictures, composed as a browser shows them."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        """Reads the chunks' heads. Raises DamagedVideo, NoVideoStream and FrameSizeRejected."""
        chunks = list(_chunks(file))
        self._canvas = _canvas(chunks)
        self._durations = [
            int.from_bytes(data[12:15], "little") or _USUAL_MS for kind, data in chunks if kind == b"ANMF"
        ]
        if not self._durations:
            raise DamagedVideo("The WebP animation holds no frames. The file is probably truncated.")
        self._mode = "RGBA" if self._canvas.flags & _ALPHA else "RGB"
        file.seek(0)
        try:
            self._image = Image.open(file, formats=["WEBP"])  # type: ignore[arg-type]  # a raw file is enough
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
            raise DamagedVideo("The WebP animation cannot be read. It is damaged or truncated.") from error

    def movie(self) -> VirtualMovie:
        """Returns the animation as a movie that can be read."""
        width, height = self._canvas.width, self._canvas.height
        sizes = [width * height * len(self._mode)] * len(self._durations)
        codec = b"RGBA" if self._mode == "RGBA" else b"raw "
        frames = Frames(codec, width, height, _TICK, self._durations, sizes)
        return VirtualMovie(movie_head(frames), sizes, self)

    def read(self, number: int) -> bytes:
        """Returns the pixels of a frame. Raises DamagedVideo."""
        try:
            self._image.seek(number)
            return self._image.convert(self._mode).tobytes()
        except (EOFError, OSError, ValueError) as error:
            raise DamagedVideo(f"Frame {number} of the WebP animation cannot be decoded.") from error


def _chunks(file: BinaryIO | io.RawIOBase) -> Iterator[tuple[bytes, bytes]]:
    """Yields the kind and the first bytes of each chunk (RFC 9649)."""
    at = _HEADER
    while True:
        file.seek(at)
        head = _read(file, 8 + 16)
        if len(head) < 8:
            return
        kind, size = struct.unpack_from("<4sI", head)
        yield kind, head[8:]
        at += 8 + size + size % 2


def _read(file: BinaryIO | io.RawIOBase, size: int) -> bytes:
    """Returns ``size`` bytes, fewer only at the end of the file: a raw file may give them in parts."""
    data = b""
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _canvas(chunks: list[tuple[bytes, bytes]]) -> _Canvas:
    kind, data = chunks[0] if chunks else (b"", b"")
    if kind != b"VP8X" or not data[0] & _ANIMATED:
        raise NoVideoStream("The WebP file is a picture, not an animation. Send a video.")
    width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (4, 7))
    if width * height > _MOST_PIXELS:
        raise FrameSizeRejected(f"Frames of {width}x{height} are too large.")
    return _Canvas(data[0], width, height)
