"""Reads and writes what was found while a segment was restored: a small JSON file beside its piece."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from service.findings import Finding

_FINDINGS = TypeAdapter(tuple[Finding, ...])


def write_findings(path: Path, findings: tuple[Finding, ...]) -> None:
    """Writes the file."""
    path.write_bytes(_FINDINGS.dump_json(findings))


def read_findings(path: Path) -> tuple[Finding, ...]:
    """Returns what is in the file. Raises FileNotFoundError, and ValueError for a file of another form."""
    return _FINDINGS.validate_json(path.read_bytes())


def read_reported(report: Path) -> tuple[Finding, ...]:
    """Returns the findings in the report of a result. Raises FileNotFoundError."""
    return _FINDINGS.validate_python(json.loads(report.read_text("utf-8"))["findings"])
