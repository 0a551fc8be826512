"""Plans a batch: which videos ``cdvd deblur`` takes, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer

from service.cli.batch.finding import RESULT_ENDING, Folder
from service.cli.batch.journal import Journal
from service.cli.batch.sources import Source
from service.cli.options import job_options, writable_output
from service.encoding.choice import Asked, ImpossibleEncodingError, check, container_for

_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".qt": "mov", ".mkv": "mkv", ".webm": "webm"}
"""What the ends of names say of containers. A result stays in the family of its source; all others become MP4."""


@dataclass(frozen=True)
class Item:
    """A video and the place of its result."""

    source: Source
    output: Path
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text parts of POST /jobs, with the container that the name of the result asks for."""
    done: bool = False
    """Whether its result is there already."""
    again: str = ""
    """Why the result that is there does not count."""

    @property
    def options(self) -> dict[str, Any]:
        """Everything that was asked for and decides the result."""
        return job_options(self.fields).of_result()


@dataclass(frozen=True)
class Planner:
    """Plans which videos are restored, and how. Its methods raise BadParameter before any work begins."""

    journal: Journal
    force: bool = False
    """Whether results that are there are made again."""

    def plan(
        self, sources: Sequence[Source | Folder], output: Path | None, fields: Mapping[str, str]
    ) -> list[Item]:
        """Returns one item per video, in order."""
        if len(sources) == 1 and isinstance(sources[0], Source) and output and not output.is_dir():
            return [self._named(sources[0], output, fields)]
        items = [item for source in sources for item in _items(source, output, fields)]
        if not items:
            raise typer.BadParameter(
                f"There are no videos in {', '.join(map(str, sources))}.", param_hint="IN"
            )
        return self.checked(list({item.source.identity: item for item in items}.values()))

    def checked(self, items: list[Item]) -> list[Item]:
        """Returns the items with what is known of their results."""
        _check_sources_survive(items)
        _check_distinct(items)
        _check_writable([item.output.parent for item in items])
        return [self.judged(item) for item in items]

    def folder(self, output: Path | None) -> Path | None:
        """Returns the output as the folder of results that it has to be."""
        if output and output.exists() and not output.is_dir():
            raise typer.BadParameter(f"{output} is no folder.", param_hint="'-o'")
        if output:
            _check_writable([output])
        return output

    def _named(self, source: Source, output: Path, fields: Mapping[str, str]) -> Item:
        asked = job_options(fields).asked
        item = Item(source, output, _with(fields, _container_of(output, asked)))
        _check_sources_survive([item])
        judged = self.judged(item)
        if judged.done and self.journal.made(output):
            return judged
        force = self.force or self._is_under_way(item)
        writable_output(output, force=force, made=judged.again or "by something else")
        return item

    def judged(self, item: Item) -> Item:
        if self.force or not item.output.exists() or self._is_under_way(item):
            return item
        made = self.journal.made(item.output)
        if made is None:  # not ours, or changed since: never overwritten unasked
            return replace(item, done=True)
        if made.source != item.source.identity:
            return replace(item, again="of another video, or of this one before it changed")
        if made.options != item.options:
            return replace(item, again=f"with other options ({_difference(made.options, item.options)})")
        return replace(item, done=True)

    def _is_under_way(self, item: Item) -> bool:
        """Returns whether an earlier run was about to put a result there."""
        begun = self.journal.begun(item.source.identity, item.fields)
        return begun is not None and begun.output == str(item.output.resolve())


def _difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = sorted({*then, *now})
    return ", ".join(
        f"{name} {then.get(name, 'unset')}, now {now.get(name, 'unset')}"
        for name in names
        if then.get(name) != now.get(name)
    )


def _with(fields: Mapping[str, str], container: str | None) -> Mapping[str, str]:
    return {**fields, "container": container} if container else fields


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


def _items(source: Source | Folder, output: Path | None, fields: Mapping[str, str]) -> Iterator[Item]:
    if isinstance(source, Source):
        yield _item(source, output or source.place, fields)
        return
    for video in source.sources(output):
        yield item_in(source, video, output, fields)


def item_in(folder: Folder, source: Source, output: Path | None, fields: Mapping[str, str]) -> Item:
    """Returns the item of a video in a folder; an output repeats the tree below that folder."""
    place = output / source.place.relative_to(folder.path) if output else source.place
    return _item(source, place, fields)


def _item(source: Source, folder: Path, fields: Mapping[str, str]) -> Item:
    container = container_for(job_options(fields).asked, _CONTAINERS.get(source.ending, "mp4"))
    return Item(source, folder / f"{source.stem}{RESULT_ENDING}.{container}", _with(fields, container))


def _check_sources_survive(items: list[Item]) -> None:
    stats = (file.stat() for item in items for file in item.source.files)
    sources = {(stat.st_dev, stat.st_ino) for stat in stats}
    for item in items:
        if item.output.exists():
            stat = item.output.stat()
            if (stat.st_dev, stat.st_ino) in sources:
                raise typer.BadParameter(f"OUT would overwrite IN: {item.output}.", param_hint="'-o'")


def _check_distinct(items: list[Item]) -> None:
    taken: dict[Path, Source] = {}
    for item in items:
        other = taken.setdefault(item.output.resolve(), item.source)
        if other != item.source:
            raise typer.BadParameter(
                f"{other} and {item.source} would both become {item.output}.", param_hint="IN"
            )


def _check_writable(folders: list[Path]) -> None:
    for folder in set(folders):
        existing = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
        if not (existing.is_dir() and os.access(existing, os.W_OK)):
            raise typer.BadParameter(f"{existing} is no writable folder.", param_hint="'-o'")
