"""Reads a ZIP of numbered pictures as a video, without unpacking it.

A stranger made the archive. Its directory is checked before a picture is read: nothing is taken that is encrypted, of
another kind than the rest, or far larger than its compressed bytes; no name is ever used as a path.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import PurePosixPath
from typing import BinaryIO

from service.errors.video import DamagedVideo, NoVideoStream, VideoTooLong
from service.text import plural
from service.video.assembled.movie import Frames, movie_head
from service.video.assembled.virtual import VirtualMovie

MAGIC = b"PK\x03\x04"

RATE = "fps.txt"
"""The file of the archive that says how many frames a second has: ``25``, ``23.976`` or ``30000/1001``."""
USUAL_RATE = Fraction(25)

CODECS = {".png": b"png ", ".jpg": b"jpeg", ".jpeg": b"jpeg", ".tif": b"tiff", ".tiff": b"tiff"}
"""The codes of codecs by the ends of names."""
KINDS = "PNG, JPEG or TIFF"
MOST_PICTURES = 1_000_000
MOST_BYTES = 512 << 20
"""Of one picture: 8192 x 8192 in 16 bits are less."""
MOST_TIMES_LARGER = 200
"""Pictures are compressed already, so that a ZIP gains little; a bomb expands a thousandfold."""


class PictureArchive:
    """The pictures of an archive, in order of their numbers."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        """Reads the directory. Raises DamagedVideo, NoVideoStream and VideoTooLong."""
        try:
            self._archive = zipfile.ZipFile(file)
            self._entries = sorted(self._pictures(), key=lambda entry: numbered_order(entry.filename))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DamagedVideo(f"The ZIP of pictures cannot be read: {error}.") from error
        self._check()

    def movie(self) -> VirtualMovie:
        """Returns the pictures as a movie that can be read. Raises DamagedVideo for a rate that is none."""
        sizes = [entry.file_size for entry in self._entries]
        rate = self._rate()
        frames = Frames(self._codec, 0, 0, 1 / rate, [1] * len(sizes), sizes)
        return VirtualMovie(movie_head(frames), sizes, self)

    def read(self, number: int) -> bytes:
        """Returns the bytes of a picture: zeros, which do not decode, where they cannot be unpacked."""
        entry = self._entries[number]
        try:
            with self._archive.open(entry) as file:
                data = file.read(entry.file_size)
        except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, zlib.error):
            data = b""
        return data.ljust(entry.file_size, b"\0")

    @property
    def _codec(self) -> bytes:
        return CODECS[_suffix(self._entries[0].filename)]

    def _pictures(self) -> Iterator[zipfile.ZipInfo]:
        for entry in self._archive.infolist():
            path = PurePosixPath(entry.filename)
            hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
            if not entry.is_dir() and not hidden and _suffix(entry.filename) in CODECS:
                yield entry

    def _check(self) -> None:
        if not self._entries:
            raise NoVideoStream(f"The ZIP holds no pictures. Send {KINDS} files, one for each frame.")
        if len(self._entries) > MOST_PICTURES:
            raise VideoTooLong(f"The ZIP holds more than {MOST_PICTURES} pictures.")
        for entry in self._entries:
            _check_entry(entry)
            if CODECS[_suffix(entry.filename)] != self._codec:
                raise DamagedVideo("The ZIP holds pictures of several kinds. Send one kind: " + KINDS + ".")

    def _rate(self) -> Fraction:
        """Returns the frames of a second. Raises DamagedVideo."""
        if RATE not in self._archive.namelist():
            return USUAL_RATE
        entry = self._archive.getinfo(RATE)
        _check_entry(entry)
        with self._archive.open(entry) as file:
            text = file.read(64).decode("ascii", "replace").strip()
        return read_rate(text)


def read_rate(text: str) -> Fraction:
    """Reads frames per second, such as ``25``, ``23.976`` or ``30000/1001``. Raises DamagedVideo."""
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}|/[0-9]{1,6})?", text):
        try:
            rate = Fraction(text).limit_denominator(100_000)
        except ZeroDivisionError:
            rate = Fraction(0)
        if 0 < rate <= 1000:
            return rate
    raise DamagedVideo(f"Frames per second are a number from 0 to 1000 like 25 or 30000/1001, not {text!r}.")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Raises DamagedVideo for an entry that no honest archive has."""
    if entry.flag_bits & 1:
        raise DamagedVideo("The ZIP is encrypted. Send it without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DamagedVideo("The ZIP is compressed in a way that is not taken. Store or deflate its files.")
    if entry.file_size > MOST_BYTES or entry.file_size > MOST_TIMES_LARGER * max(entry.compress_size, 1):
        raise DamagedVideo(
            f"A file of the ZIP claims {plural(entry.file_size, 'byte')} for {entry.compress_size} compressed ones."
        )


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def numbered_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Orders names as people count: frame 9 before frame 10."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name)
    return tuple((0, int(digits[:18]), "") if digits else (1, 0, text) for digits, text in parts)
