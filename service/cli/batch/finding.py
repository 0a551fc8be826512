"""Finds the sources that a command line, a list or a folder names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from service.cli.batch.pictures import are_frames, pictures_among
from service.cli.batch.sources import Address, Pictures, Source, VideoFile
from service.cli.options import is_url, matches
from service.text import plural
from service.video.assembled.pictures import CODECS

_MP4, _OTHER = {".mp4", ".m4v", ".mov", ".3gp"}, {".mkv", ".webm", ".avi", ".flv", ".wmv", ".ogv"}
_BROADCAST, _RAW = {".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".mxf"}, {".dv", ".y4m", ".ivf", ".nut"}
SUFFIXES = _MP4 | _OTHER | _BROADCAST | _RAW
"""Names of videos in directories end like this; a file that is named is taken whatever its name.

GIF, WebP and PNG are not among them: most of these are pictures.
"""
RESULT_ENDING = "_deblurred"


@dataclass(frozen=True)
class Folder:
    """A directory of videos, at any depth."""

    path: Path
    rate: str | None = None
    """Of the pictures in it; None leaves it to the ``fps.txt`` beside them."""

    def __str__(self) -> str:
        return str(self.path)

    def sources(self, output: Path | None) -> list[VideoFile | Pictures]:
        """Returns its videos, and each folder below it that holds the frames of one, without results: ours, and all
        below the output.
        """
        root, results = self.path.resolve(), output.resolve() if output else None
        found = sorted(self._found(self.path), key=lambda source: source.path)
        if results is None or results == root:
            return found
        return [
            source
            for source in found
            if not (root / source.path.relative_to(self.path)).is_relative_to(results)
        ]

    def _found(self, folder: Path) -> Iterator[VideoFile | Pictures]:
        try:
            entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        except OSError:  # it has just gone, or is not for us
            return
        files = [
            entry for entry in entries if entry.suffix.lower() in SUFFIXES | CODECS.keys() and entry.is_file()
        ]
        videos = [file for file in files if _is_video(file) and not file.stem.endswith(RESULT_ENDING)]
        yield from map(VideoFile, videos)
        if (
            folder != self.path
            and not any(map(_is_video, files))
            and are_frames(frames := pictures_among(files))
        ):
            yield Pictures(tuple(frames), self.rate)
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                yield from self._found(entry)


def named_sources(names: Sequence[str], rate: str | None) -> list[Source | Folder]:
    """Returns what names on a command line stand for, and patterns; pictures by name are one video of this rate.

    Raises BadParameter for a rate where nothing can be pictures.
    """
    names = list(_expanded(names))
    paths = [Path(name) for name in names if not is_url(name)]
    if paths and len(paths) == len(names) == len(
        pictures := pictures_among(path for path in paths if path.is_file())
    ):
        return [Pictures(tuple(pictures), rate)]
    found: list[Source | Folder] = [
        Address(name) if is_url(name) else local_source(Path(name), rate) for name in names
    ]
    if rate is not None and all(isinstance(source, (Address, VideoFile)) for source in found):
        raise typer.BadParameter("Only pictures have no rate of their own.", param_hint="'--fps'")
    return found


def _expanded(names: Sequence[str]) -> Iterator[str]:
    """Puts the names that a pattern stands for in its place; a file may have a name that looks like one."""
    for name in names:
        yield from [name] if is_url(name) or Path(name).exists() else matches(name) or [name]


def one_video(name: str, rate: str | None) -> Source:
    """Returns the video that a name stands for. Raises BadParameter for a directory of several."""
    found, *others = named_sources([name], rate)
    if others:
        raise typer.BadParameter(f"{name} stands for {plural(len(others) + 1, 'video')}.", param_hint="IN")
    if isinstance(found, Folder):
        raise typer.BadParameter(
            f"{found} holds no pictures; name the videos in it, or list them in --jobs-file.", param_hint="IN"
        )
    return found


def local_source(path: Path, rate: str | None) -> VideoFile | Pictures | Folder:
    """Returns what a path stands for. A directory that holds pictures, and no videos, is one video of this rate."""
    if not path.is_dir():
        return VideoFile(path)
    inside = [file for file in path.iterdir() if file.is_file()]
    pictures = [] if any(map(_is_video, inside)) else pictures_among(inside)
    return Pictures(tuple(pictures), rate) if pictures else Folder(path, rate)


def _is_video(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
