"""axe-core finds no violation of WCAG 2.2 A and AA on the page, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.choosing import choose
from tests.e2e.conftest import PATIENCE_MS, finished_job, until_loaded
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service

pytestmark = pytest.mark.integration
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    page: Page, service: Service, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no color halfway
    job = finished_job(page, service, write_clip(tmp_path / f"{scheme}.mp4", Clip(frames=12)))
    job.get_by_role("link", name="Open").click()
    until_loaded(page)
    expect(page.locator("#curve")).to_be_visible()
    page.get_by_role("radio", name="Prior").check(force=True)

    expect_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_start_is_accessible(page: Page, tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no color halfway
    expect(page.get_by_text("megapixels a frame")).to_be_visible()
    expect_accessible(page)

    choose(page, *(write_clip(tmp_path / f"{name}.mp4", Clip(frames=30)) for name in ("one", "two")))
    page.get_by_text("Format, sound and strictness").click()
    page.get_by_role("button", name="Deblur one second here").click()
    expect(page.get_by_role("button", name="Back to the video")).to_be_visible(timeout=PATIENCE_MS)
    expect_accessible(page)


def expect_accessible(page: Page) -> None:
    found = Axe().run(page, options=LEVELS)

    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 15
