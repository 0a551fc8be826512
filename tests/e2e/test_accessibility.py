"""axe-core finds no violation of WCAG 2.2 A and AA on the page, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import finished_job, until_loaded
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service

pytestmark = pytest.mark.integration
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(
    page: Page, service: Service, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    job = finished_job(page, service, write_clip(tmp_path / f"{scheme}.mp4", Clip(frames=12)))
    job.get_by_role("button", name="Compare").click()
    until_loaded(page)
    expect(page.locator("#curve")).to_be_visible()
    page.get_by_role("radio", name="Prior").check(force=True)

    found = Axe().run(page, options=LEVELS)

    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 15
