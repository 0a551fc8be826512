"""A running service, and a real Chromium to look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import chromium
from tests.support.stack import PacedService, Service, paced_stack, until

PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)  # a slow machine is no fault of the page
EXPLAINED = re.compile(
    r"Failed to load resource.* (4\d\d |net::ERR_(INTERNET_DISCONNECTED|CONNECTION_RESET))"
)
"""Chromium notes refusals and outages in its console, also those that the page explains to its reader."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """The opened page. Whatever its scripts or its content security policy complain about fails the test."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda note: complaints.append(note.text) if note.type == "error" else None)
    opened.goto(str(service.http.base_url))
    expect(opened.get_by_role("heading", level=1)).not_to_be_empty()  # its scripts run
    yield opened
    context.close()
    assert [text for text in complaints if not EXPLAINED.match(text)] == []


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=name)


def expect_status(job: Locator, status: str) -> None:
    expect(job.locator("[data-part=status]")).to_have_text(status, timeout=PATIENCE_MS)


def finished_job(page: Page, service: Service, path: Path) -> Locator:
    service.until_status(service.submit(path), "succeeded")
    page.reload()
    job = row(page, path.name)
    expect_status(job, "Done")
    return job


def open_job(page: Page, job_id: str) -> None:
    """Show the view of a job as its link does."""
    page.evaluate("(id) => (location.hash = `#job/${id}`)", job_id)


def until_loaded(page: Page) -> None:
    ready = "['before', 'after'].every((id) => document.getElementById(id).readyState >= 3)"
    until(lambda: page.evaluate(ready), "both videos to load")
