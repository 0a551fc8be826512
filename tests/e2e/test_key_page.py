"""The page of a service that asks for a key, in a real Chromium."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing, Scope
from tests.support.api_keys import new_key, redis_url, submitted, until_ended
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service

pytestmark = pytest.mark.integration

PATIENCE_MS = 30_000


def sign_in(page: Page, key: Mapping[str, str]) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill(key["Authorization"].removeprefix("Bearer "))
    dialog.get_by_role("button", name="Sign in").click()


def test_a_key_is_asked_for_once_and_opens_jobs_and_downloads(
    browser: Browser, service: Service, tmp_path: Path
) -> None:
    with connect(redis_url(service)) as client:
        key = new_key(KeyRing(client), Scope.SUBMIT, Scope.READ)
    job_id = submitted(service, write_clip(tmp_path / "mine.mp4", Clip(frames=4)), key)
    until_ended(service, job_id, key)
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(service.url)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("cdvd_wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_have_text("That is not a valid key.")
    page.keyboard.press("Escape")
    sign_in(page, key)
    expect(dialog).to_have_count(0)
    row = page.get_by_role("listitem").filter(has_text="mine.mp4")
    expect(row).to_be_visible()
    page.reload()
    expect(row).to_be_visible()
    assert page.request.get(f"{service.url}/jobs/{job_id}/result").ok  # with the cookie alone
    assert page.evaluate("document.cookie") == ""
    page.context.clear_cookies()  # as when the session's time is over
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    sign_in(page, key)
    expect(row).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.request.get(f"{service.url}/jobs/{job_id}").status == 401
    context.close()
