"""The table of many runs adds up those of a kind."""

from __future__ import annotations

from collections import Counter

from benchmarks.reliability.chaos.report import Report, render


def test_runs_of_a_kind_are_added_up() -> None:
    reports = [
        Report("disk", Counter({"worker killed": 2}), [], Counter({"succeeded": 5}), 3.0),
        Report("s3", Counter({"link slow": 1}), ["A job is lost."], Counter({"succeeded": 1}), 1.0),
        Report("disk", Counter({"worker killed": 1, "Redis killed": 4}), [], Counter({"succeeded": 6}), 9.0),
    ]

    lines = render(reports).splitlines()

    assert lines[0] == "| fault | disk | s3 |"
    assert "| worker killed | 3 |  |" in lines
    assert "| link slow |  | 1 |" in lines
    assert "| **all** | 7 | 1 |" in lines
    assert "Faults: 8 in 3 runs." in lines
    assert any("11 succeeded" in line and "within 9 s" in line for line in lines)
    assert lines[-1].endswith("Things that must not happen: 1.")
