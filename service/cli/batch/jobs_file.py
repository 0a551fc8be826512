"""Reads a list of jobs: JSON Lines, each an object with ``input``, ``output`` and options of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from service.cli.batch.finding import Folder, local_source
from service.cli.batch.pictures import checked_rate
from service.cli.batch.plan import Item, Planner
from service.cli.batch.sources import Address, Source, VideoFile
from service.cli.options import is_url, job_options

STDIN = Path("-")
_MOST_FAULTS = 10
"""Of a file that is wrong throughout, the first lines tell enough."""


@dataclass(frozen=True)
class JobLine:
    """One line. Paths are absolute, or relative to the current folder."""

    number: int
    input: Source | Folder
    output: Path | None
    fields: Mapping[str, str]
    """Text parts of POST /jobs."""


class Faults:
    """Collects what is wrong with lines, so that all of it is told at once."""

    def __init__(self, file: Path) -> None:
        self._name = "stdin" if file == STDIN else str(file)
        self._found: list[tuple[int, str]] = []

    def add(self, number: int, text: str) -> None:
        """Notes what is wrong with a line, counted from 1."""
        self._found.append((number, text))

    def require_none(self) -> None:
        """Raises BadParameter if there are any."""
        found = [f"{self._name}, line {number}: {text}" for number, text in sorted(self._found)]
        more = len(found) - _MOST_FAULTS
        told = found[:_MOST_FAULTS] + ([f"... and {more} more."] if more > 0 else [])
        if told:
            raise typer.BadParameter("\n".join(told), param_hint="'--jobs-file'")


def read_jobs(file: Path, usual: Mapping[str, str], rate: str | None = None) -> tuple[list[JobLine], Faults]:
    """Returns the jobs of a file, ``-`` for stdin, and what is wrong with other lines. Raises BadParameter for no text.

    ``usual``: options of lines that do not name them, ``rate`` that of pictures.
    """
    faults, lines = Faults(file), []
    folder = Path() if file == STDIN else file.parent
    for number, text in _lines(file):
        try:
            lines.append(_job(number, text, folder, usual, rate))
        except (ValueError, typer.BadParameter) as error:
            faults.add(number, str(error))
    if not lines:
        faults.require_none()
        raise typer.BadParameter(f"There are no jobs in {file}.", param_hint="'--jobs-file'")
    return lines, faults


def plan_jobs(
    file: Path, planner: Planner, output: Path | None, usual: Mapping[str, str], rate: str | None = None
) -> list[Item]:
    """Returns the items of a file. Raises BadParameter with all that is wrong with its lines.

    ``output``: the folder of results that no line places. ``usual``: options of lines that do not name them, ``rate``
    that of pictures.
    """
    lines, faults = read_jobs(file, usual, rate)
    items, taken = [], dict[Path, int]()
    for line in lines:
        try:
            planned = planner.plan([line.input], line.output or planner.folder(output), line.fields)
        except (OSError, typer.BadParameter) as error:
            faults.add(line.number, str(error))
            continue
        for item in planned:
            other = taken.setdefault(item.output.resolve(), line.number)
            if other != line.number:
                faults.add(line.number, f"{item.output} is the result of line {other} already.")
        items += planned
    faults.require_none()
    return planner.checked(items)


def jobs_to_send(
    file: Path, usual: Mapping[str, str], rate: str | None = None
) -> list[tuple[Source, Mapping[str, str]]]:
    """Returns the videos of a file whose results nobody fetches, with their options.

    Raises BadParameter with all that is wrong with its lines.
    """
    lines, faults = read_jobs(file, usual, rate)
    found = []
    for line in lines:
        if line.output:
            faults.add(line.number, "Nothing is fetched, so there is no output; `cdvd deblur` has one.")
        if isinstance(line.input, Folder):
            faults.add(line.number, f"{line.input} is no video and holds no pictures; name the videos in it.")
        else:
            found.append((line.input, line.fields))
    faults.require_none()
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        data = sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}", param_hint="'--jobs-file'") from error
    # Not splitlines, which also splits at characters that JSON may hold.
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _job(number: int, text: str, folder: Path, usual: Mapping[str, str], rate: str | None) -> JobLine:
    """Reads one line. Raises ValueError, BadParameter."""
    try:
        given = json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is no JSON: {error.msg} at column {error.colno}.") from error
    if not isinstance(given, dict):
        raise ValueError('A line is an object such as {"input": "a.mp4", "output": "b.mp4", "crf": 20}.')
    source = _source(folder, given, rate)
    output = folder / _path(given, "output") if given.get("output") is not None else None
    options = {name: value for name, value in given.items() if name not in ("input", "output", "fps")}
    kept = {name: value for name, value in usual.items() if name not in options}
    fields = {**kept, **{name: _text(name, value) for name, value in options.items() if value is not None}}
    job_options(fields)
    return JobLine(number, source, output, fields)


def _source(folder: Path, given: Mapping[str, Any], rate: str | None) -> Source | Folder:
    """Returns what a line names. Raises ValueError, BadParameter."""
    named, own_rate = _path(given, "input"), given.get("fps")
    if own_rate is not None:
        rate = checked_rate(_text("fps", own_rate))
    if is_url(named):
        source: Source | Folder = Address(named)
    elif (folder / named).exists():
        source = local_source(folder / named, rate)
    else:
        raise ValueError(f"There is no {folder / named}.")
    if own_rate is not None and isinstance(source, (Address, VideoFile)):
        raise ValueError("Only pictures have no rate of their own.")
    return source


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) < len(pairs):
        raise ValueError("A name is given twice.")
    return given


def _path(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{name}" is the path of a file, as text.')
    return value


def _text(name: str, value: object) -> str:
    """Returns a value as forms write it. Raises ValueError."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f'"{name}" is a text, a number, true or false.')
