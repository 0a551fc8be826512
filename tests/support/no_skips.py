"""The option ``--no-skips``: a test that is skipped, or fails as expected, is a failure.

On when the variable ``CI`` is set: a machine that lacks what a test needs must say so rather than pass.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

OPTION = "--no-skips"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.addoption(
        OPTION,
        action="store_true",
        default=os.environ.get("CI", "").lower() not in ("", "0", "false"),
        help="count skipped tests and expected failures as failures (on by default where CI is set)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the report of a test that was skipped or marked xfail into a failure."""
    report = yield
    if item.config.getoption(OPTION) and (report.skipped or hasattr(report, "wasxfail")):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turns a module that was skipped as a whole into an error."""
    report = yield
    if report.skipped and collector.config.getoption(OPTION):
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = getattr(report, "wasxfail", None)
    if reason is None:
        path, line, message = report.longrepr  # type: ignore[misc]
        reason = f"{path}:{line}: {message}"
    else:
        reason = f"Marked xfail: {reason}"
        del report.wasxfail  # type: ignore[union-attr]
    report.outcome = "failed"
    report.longrepr = f"{OPTION} allows no test to be left out. {reason}"
