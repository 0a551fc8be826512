"""Plans a batch: which videos ``cdvd deblur`` takes, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from service.cli.options import writable_output
from service.encoding.choice import Asked, ImpossibleEncodingError, check, container_for

_MP4, _OTHER = {".mp4", ".m4v", ".mov", ".3gp"}, {".mkv", ".webm", ".avi", ".flv", ".wmv", ".ogv"}
SUFFIXES = _MP4 | _OTHER | {".ts", ".mts", ".m2ts", ".mpg", ".mpeg"}
"""Names of videos in directories end like this; a file that is named is taken whatever its name."""
RESULT_ENDING = "_deblurred"
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".qt": "mov", ".mkv": "mkv", ".webm": "webm"}
"""What the ends of names say of containers. A result stays in the family of its source; all others become MP4."""
_NOTHING = Asked()


@dataclass(frozen=True)
class Item:
    """A video and the place of its result."""

    source: Path
    output: Path
    done: bool = False
    """Whether its result is there already."""
    container: str | None = None
    """The container that the name of the result asks for."""


def plan(sources: Sequence[Path], output: Path | None, *, force: bool, asked: Asked = _NOTHING) -> list[Item]:
    """Returns one item per video, in order. Raises BadParameter for what cannot work, before any work begins.

    ``asked``: how results are to be encoded.
    """
    if len(sources) == 1 and sources[0].is_file() and output and not output.is_dir():
        items = [Item(sources[0], output, container=_container_of(output, asked))]
        _check_sources_survive(items)
        writable_output(output, force=force)
        return items
    found = {item.source.resolve(): item for source in sources for item in _items(source, output, asked)}
    items = list(found.values())
    if not items:
        raise typer.BadParameter(f"There are no videos in {', '.join(map(str, sources))}.", param_hint="IN")
    _check_sources_survive(items)
    _check_distinct(items)
    _check_writable(items)
    return [replace(item, done=item.output.exists() and not force) for item in items]


def _container_of(output: Path, asked: Asked) -> str | None:
    """Returns the container that the name of a result asks for. Raises BadParameter where it cannot be that."""
    named = _CONTAINERS.get(output.suffix.lower())
    if named is None and output.suffix:
        known = ", ".join(_CONTAINERS)
        raise typer.BadParameter(f"A result ends in {known}, not in {output.suffix}.", param_hint="'-o'")
    if named is None or asked.container == named:
        return asked.container
    if asked.container is not None:
        raise typer.BadParameter(f"{output} does not end like {asked.container}.", param_hint="'-o'")
    try:
        check(replace(asked, container=named))
    except ImpossibleEncodingError as error:
        raise typer.BadParameter(str(error), param_hint="'-o'") from error
    return named


def _items(source: Path, output: Path | None, asked: Asked) -> Iterator[Item]:
    if source.is_file():
        yield _item(source, output or source.parent, asked)
        return
    for video in sorted(source.rglob("*")):
        if _is_wanted(video, source) and not (output and video.is_relative_to(output)):
            folder = output / video.parent.relative_to(source) if output else video.parent
            yield _item(video, folder, asked)


def _is_wanted(video: Path, root: Path) -> bool:
    """Returns whether a path is a video that is not hidden and is no result of an earlier batch."""
    hidden = any(part.startswith(".") for part in video.relative_to(root).parts)
    is_result = video.stem.endswith(RESULT_ENDING)
    return video.suffix.lower() in SUFFIXES and not hidden and not is_result and video.is_file()


def _item(source: Path, folder: Path, asked: Asked) -> Item:
    container = container_for(asked, _CONTAINERS.get(source.suffix.lower(), "mp4"))
    return Item(source, folder / f"{source.stem}{RESULT_ENDING}.{container}", container=container)


def _check_sources_survive(items: list[Item]) -> None:
    sources = {(stat.st_dev, stat.st_ino) for stat in (item.source.stat() for item in items)}
    for item in items:
        if item.output.exists():
            stat = item.output.stat()
            if (stat.st_dev, stat.st_ino) in sources:
                raise typer.BadParameter(f"OUT would overwrite IN: {item.output}.", param_hint="'-o'")


def _check_distinct(items: list[Item]) -> None:
    taken: dict[Path, Path] = {}
    for item in items:
        other = taken.setdefault(item.output.resolve(), item.source)
        if other != item.source:
            raise typer.BadParameter(
                f"{other} and {item.source} would both become {item.output}.", param_hint="IN"
            )


def _check_writable(items: list[Item]) -> None:
    for folder in {item.output.parent for item in items}:
        existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
        if not (existing.is_dir() and os.access(existing, os.W_OK)):
            raise typer.BadParameter(f"{existing} is no writable folder.", param_hint="'-o'")
