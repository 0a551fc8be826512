"""Sharp photographs from folders, each picture once, with a fixed share of them held out from training."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

DEFAULT_FOLDERS = (Path("/usr/share/wallpapers"), Path("/usr/share/backgrounds"))
"""Where Debian's packages of pictures install; docs/training-data.md names them and their licences."""
DRAWINGS = ("Autumn", "Honeywave", "SafeLanding", "Shell", "mate/abstract", "mate/desktop")
"""Parts of paths in those folders that hold drawings and paintings which pass for photographs otherwise."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
SMALLEST_SIDE = 640
"""Below this there is no room for a crop that a camera moves over."""
JUDGED_WIDTH = 800
"""Detail is judged at one size, so that large pictures are not taken for smooth ones."""
LEAST_DETAIL = 1.4
"""Mean absolute difference of neighbouring levels: the softest photographs with a sharp subject have 1.5."""
FLAT_STEP = 0.6
MOST_FLAT = 0.52
"""Share of pixels that equal their neighbour; vector drawings and gradients have more, photographs with
their grain have less, night skies apart."""
THUMBNAIL = 16
SAME_PICTURE = 6.0
"""Mean difference in levels between the thumbnails of two renditions of one picture, at most."""
HELD_OUT_ONE_IN = 8


@dataclass(frozen=True)
class Photograph:
    """``pixels`` uint8 [h, w, 3] RGB; ``digest`` is the SHA-256 of the file that they came from."""

    path: Path
    digest: str
    pixels: Picture

    @property
    def held_out(self) -> bool:
        """Whether training must not see it. A function of the file's content, so stable when folders grow."""
        return int(self.digest[:8], 16) % HELD_OUT_ONE_IN == 0


def load_photographs(
    folders: Sequence[Path] = DEFAULT_FOLDERS, max_side: int = 1600, skip: Collection[str] = DRAWINGS
) -> list[Photograph]:
    """Every photograph under ``folders``, ordered by path, its longer side reduced to ``max_side``.

    Left out: small files, pictures with transparency, drawings and blank pictures as far as pixels tell, paths
    that contain an entry of ``skip``, and all but the largest rendition of a picture.
    Raises FileNotFoundError when a folder is missing and ValueError when nothing is left.
    """
    kept: list[tuple[int, Photograph]] = []
    for path in _picture_files(folders, skip):
        picture = _read(path)
        if picture is None or min(picture.shape[:2]) < SMALLEST_SIDE or not is_photographic(picture):
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found = Photograph(path, digest, _reduced(picture, max_side))
        _keep_largest(kept, picture.shape[0] * picture.shape[1], found)
    if not kept:
        raise ValueError(f"no photographs in {', '.join(map(str, folders))}")
    return sorted((photograph for _, photograph in kept), key=lambda photograph: photograph.path)


def split_photographs(photographs: Iterable[Photograph]) -> tuple[list[Picture], list[Picture]]:
    """Pixels to train on, and pixels held out (about one picture in ``HELD_OUT_ONE_IN``)."""
    training: list[Picture] = []
    held_out: list[Picture] = []
    for photograph in photographs:
        (held_out if photograph.held_out else training).append(photograph.pixels)
    return training, held_out


def is_photographic(picture: Picture) -> bool:
    """False for pictures that are mostly flat or blurred all over."""
    height = round(JUDGED_WIDTH * picture.shape[0] / picture.shape[1])
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    judged = cv2.resize(grey, (JUDGED_WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = np.abs(np.diff(judged, axis=1)), np.abs(np.diff(judged, axis=0))
    detail = float(across.mean() + down.mean()) / 2
    return detail >= LEAST_DETAIL and float((across < FLAT_STEP).mean()) <= MOST_FLAT


def _picture_files(folders: Sequence[Path], skip: Collection[str]) -> Iterable[Path]:
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"no such folder of photographs: {folder}")
        for path in sorted(folder.rglob("*")):
            wanted = path.suffix.lower() in SUFFIXES and not path.is_symlink() and path.is_file()
            if wanted and not any(part in path.as_posix() for part in skip):
                yield path


def _read(path: Path) -> Picture | None:
    """RGB pixels, or None for what cannot be decoded or is partly transparent."""
    if path.suffix.lower() in {".png", ".webp"}:
        raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if raw is None or (
            raw.ndim == 3 and raw.shape[2] == 4 and int(raw[..., 3].min()) < raw[..., 3].max()
        ):
            return None
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    return None if picture is None else np.asarray(picture, np.uint8)


def _reduced(picture: Picture, max_side: int) -> Picture:
    height, width = picture.shape[:2]
    factor = max_side / max(height, width)
    if factor >= 1:
        return picture
    size = round(width * factor), round(height * factor)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _keep_largest(kept: list[tuple[int, Photograph]], area: int, found: Photograph) -> None:
    """Adds ``found``, or lets the larger rendition stand where the picture is there already."""
    thumbnail = _thumbnail(found.pixels)
    for index, (other_area, other) in enumerate(kept):
        if float(np.abs(_thumbnail(other.pixels) - thumbnail).mean()) < SAME_PICTURE:
            kept[index] = (area, found) if area > other_area else (other_area, other)
            return
    kept.append((area, found))


def _thumbnail(picture: Picture) -> NDArray[np.float32]:
    small = cv2.resize(picture, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
