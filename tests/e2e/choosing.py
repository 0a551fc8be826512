"""What somebody does at the start of the page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS, row
from tests.support.stack import QUICK

JOB = re.compile("#job/")


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label("Choose videos").set_input_files(paths)


def restore_with(page: Page, model: str) -> None:
    name = "Fast" if model == QUICK else f"Model {model}"
    page.get_by_role("radio", name=name).check()


def deblur(page: Page) -> None:
    """Ask for the whole video that was chosen; the page then shows its job."""
    page.get_by_role("button", name="Deblur the whole video").click()
    expect(page).to_have_url(JOB, timeout=PATIENCE_MS)


def go_to_start(page: Page) -> None:
    page.get_by_role("link", name="Video deblurring").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()


def send(page: Page, path: Path, model: str = QUICK) -> Locator:
    """Choose a file and what restores it; returns the job's row at the start."""
    choose(page, path)
    restore_with(page, model)
    deblur(page)
    go_to_start(page)
    return row(page, path.name)
