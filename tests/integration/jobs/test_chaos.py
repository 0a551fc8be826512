"""The command that mistreats a service, for a few faults: ``make chaos`` goes on for minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability.chaos.__main__ import mistreat
from benchmarks.reliability.chaos.report import render

pytestmark = pytest.mark.integration


def test_service_that_is_mistreated_keeps_its_promises(tmp_path: Path) -> None:
    report = mistreat(tmp_path, seconds=300, seed=7, most=4)

    assert report.violations == []
    assert report.faults.total() == 4
    assert report.jobs["succeeded"] >= 3
    assert "| **all** | 4 |" in render([report])
