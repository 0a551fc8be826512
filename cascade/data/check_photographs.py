"""Compares folders of photographs with the table of their licenses: ``python -m cascade.data.check_photographs DIR``.

Says how many of the pictures the table knows by their digest, under which licenses, and how many are held out from
training, and names those that it does not know; then the exit status is 1. Your own pictures need no table.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cascade.data.photograph_table import TABLE, PhotographRecord, read_table
from cascade.data.photographs import is_held_out, picture_files

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """What a table knows of the pictures in some folders."""

    known: tuple[tuple[Path, PhotographRecord], ...]
    unknown: tuple[Path, ...]


def check(folders: Sequence[Path], table: dict[str, PhotographRecord]) -> Check:
    """Looks every picture up by its digest. Raises FileNotFoundError for a missing folder."""
    found = [(path, table.get(_digest(path))) for path in picture_files(folders, skip=())]
    return Check(
        known=tuple((path, record) for path, record in found if record is not None),
        unknown=tuple(path for path, record in found if record is None),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        result = check(options.folders, read_table(options.table))
    except (OSError, ValueError) as error:
        sys.exit(f"check_photographs: {error}")
    if options.list:
        for path, record in result.known:
            logger.info("%s", _line(path, record))
    _report(result)
    if result.unknown:
        sys.exit(1)


def _report(result: Check) -> None:
    for name, count in sorted(Counter(record.license for _, record in result.known).items()):
        logger.info("%4d  %s", count, name)
    for path in result.unknown:
        logger.info(
            "Not in the table: %s (%s)", path, "held out" if is_held_out(_digest(path)) else "training"
        )
    held_out = sum(record.held_out for _, record in result.known)
    logger.info(
        "Known: %d, of which held out: %d. Not in the table: %d.",
        len(result.known),
        held_out,
        len(result.unknown),
    )


def _line(path: Path, record: PhotographRecord) -> str:
    part = "held out" if record.held_out else "training"
    return "\t".join([path.name, part, record.license, record.author or record.credit_line or record.source])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.data.check_photographs", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of photographs")
    parser.add_argument("--table", type=Path, default=TABLE, help="the table, tab-separated")
    parser.add_argument("--list", action="store_true", help="print license and author of every picture")
    return parser


if __name__ == "__main__":
    main()
