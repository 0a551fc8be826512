"""Videos that are no files of FFmpeg's: archives of pictures, and WebP animations."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Picture

from tests.support.clips import Image, moving_picture


def picture_bytes(image: Image, kind: str) -> bytes:
    """An image as a file of a kind such as ``png``."""
    buffer = io.BytesIO()
    Picture.fromarray(image).save(buffer, kind, **({"quality": 95} if kind == "jpeg" else {}))
    return buffer.getvalue()


def write_archive(
    path: Path, frames: int = 12, kind: str = "png", rate: str | None = None, method: int = 0
) -> Path:
    """A ZIP of pictures that are named 1, 2, ... 10, 11, in an order that no name gives."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("shot/", "")
        archive.writestr("__MACOSX/shot/._1.png", b"none")
        archive.writestr("notes.md", "Taken on Sunday.")
        if rate is not None:
            archive.writestr("fps.txt", f"{rate}\n")
        for number in reversed(range(frames)):
            archive.writestr(f"shot/{number + 1}.{kind}", picture_bytes(moving_picture(number), kind))
    return path


def write_webp(path: Path, durations: Sequence[int], alpha: int | None = None) -> Path:
    """A lossless WebP animation."""
    pictures = [Picture.fromarray(moving_picture(number)) for number in range(len(durations))]
    if alpha is not None:
        for picture in pictures:
            picture.putalpha(alpha)
    pictures[0].save(
        path, "WEBP", save_all=True, append_images=pictures[1:], duration=list(durations), lossless=True
    )
    return path
