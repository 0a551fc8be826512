"""The table of the photographs that the shipped weights were trained on, by the digests of their files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parents[2] / "docs" / "training-photographs.tsv"


@dataclass(frozen=True)
class PhotographRecord:
    """One row of the table."""

    file: str
    digest: str
    """SHA-256 of the file, in hexadecimal digits."""
    held_out: bool
    author: str
    """Empty where the source names none; its credit line may."""
    license: str
    source: str
    """Address of the collection, at the version that the picture was taken from."""
    credit_line: str
    """What the source says of author and license, as it stands there."""


def read_table(path: Path = TABLE) -> dict[str, PhotographRecord]:
    """Reads a table by digest. Raises OSError for a missing file and ValueError for one that is no such table."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [*csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    try:
        records = [_record(row) for row in rows]
    except KeyError as error:
        raise ValueError(f"The table {path} has no column {error.args[0]!r}.") from error
    return {record.digest: record for record in records}


def _record(row: dict[str, str]) -> PhotographRecord:
    return PhotographRecord(
        file=row["file"],
        digest=row["sha256"],
        held_out=row["held_out"] == "yes",
        author=row["author"],
        license=row["license"],
        source=row["source"],
        credit_line=row["credit_line"],
    )
