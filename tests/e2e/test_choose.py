"""From chosen files to jobs: the sample, a second in advance, a part, several videos, files no browser plays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from service.config import Settings
from tests.e2e.choosing import JOB, choose, deblur, go_to_start
from tests.e2e.conftest import PATIENCE_MS, expect_status, row
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service, until

pytestmark = pytest.mark.integration

CLIP = Clip(frames=50, audio="aac")
"""Two seconds."""


def jobs_of(service: Service, name: str) -> list[dict[str, Any]]:
    """The newest first."""
    jobs = service.http.get("/jobs?limit=100").json()["jobs"]
    return [job for job in jobs if job["input"]["filename"] == name]


def expect_second(page: Page) -> None:
    """Wait until a deblurred second plays under the divider."""
    plays = "() => document.getElementById('glimpse-after').currentTime > 0.1"
    until(lambda: page.evaluate(plays) or page.wait_for_timeout(50), "the second to play")
    expect(page.get_by_role("slider", name="Divider between before and after")).to_be_visible()


def test_the_start_says_what_the_service_takes_and_keeps(page: Page) -> None:
    settings = Settings()
    assert settings.retention_s == 7 * 86400
    welcome = page.get_by_role("region", name="Begin")

    expect(welcome).to_contain_text("Up to 60 minutes and 2 GiB a video, 9.4 megapixels a frame.")
    expect(welcome).to_contain_text("Whoever can open this page sees it in the list.")
    expect(welcome).to_contain_text("It is deleted 7 days after the job has ended")
    assert page.evaluate(
        "[...document.querySelectorAll('#hero img')].every((image) => image.naturalWidth === 640)"
    )


def test_one_click_on_the_sample_shows_a_deblurred_second_and_then_the_whole_of_it(
    page: Page, service: Service
) -> None:
    created: list[str] = []
    page.on("request", lambda one: created.append(one.url) if one.url.endswith("/uploads") else None)
    page.get_by_role("button", name="Try it with a sample clip").click()
    expect_second(page)
    (preview,) = jobs_of(service, "espresso.mp4")
    assert preview["options"]["preview"] is True
    assert (preview["options"]["start"], preview["options"]["end"]) == (1, 2)
    assert page.evaluate("document.getElementById('glimpse-before').currentTime") >= 1

    deblur(page)

    until(lambda: len(jobs_of(service, "espresso.mp4")) == 1, "the preview to be removed")
    (whole,) = jobs_of(service, "espresso.mp4")
    assert (whole["options"]["preview"], whole["options"]["start"]) == (False, None)
    assert whole["input"]["frames"] == 96
    assert len(created) == 1, "the video is sent once"


def test_a_second_waits_for_the_upload_and_goes_on_by_itself(page: Page, tmp_path: Path) -> None:
    held: list[Route] = []
    page.route(
        "**/uploads/*",
        lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_(),
    )
    choose(page, write_clip(tmp_path / "waits.mp4", CLIP))
    until(lambda: bool(held) or page.wait_for_timeout(20), "the bytes to go")
    page.get_by_role("button", name="Deblur one second here").click()
    expect(page.get_by_text("Waits for the upload: 0%")).to_be_visible()
    held[0].continue_()

    expect_second(page)
    page.get_by_role("button", name="Back to the video").click()
    expect(page.get_by_role("slider", name="Divider between before and after")).to_be_hidden()


def test_the_part_between_the_handles_is_deblurred(page: Page, service: Service, tmp_path: Path) -> None:
    choose(page, write_clip(tmp_path / "part.mp4", CLIP))
    begin = page.get_by_role("slider", name="Begin of the part")
    expect(begin).to_be_visible()
    begin.fill("0.5")
    page.get_by_role("slider", name="End of the part").fill("1.5")
    expect(page.get_by_text("From 0:00.5 to 0:01.5, 0:01.0 long")).to_be_visible()
    page.get_by_role("button", name="Deblur this part (0:01.0)").click()
    expect(page).to_have_url(JOB, timeout=PATIENCE_MS)

    (job,) = jobs_of(service, "part.mp4")
    assert (job["options"]["start"], job["options"]["end"]) == (0.5, 1.5)


def test_several_videos_become_jobs_in_the_order_that_is_shown(
    page: Page, service: Service, tmp_path: Path
) -> None:
    names = ["one.mp4", "two.mp4", "three.mp4"]
    choose(page, *(write_clip(tmp_path / name, Clip(frames=6)) for name in names))
    chosen = page.locator("#chosen")
    expect(chosen.get_by_role("listitem")).to_have_text([re.compile(name) for name in names])
    chosen.get_by_role("button", name="Move three.mp4 up").click()
    chosen.get_by_role("button", name="Remove one.mp4").click()
    page.get_by_role("button", name="Deblur all 2 videos").click()

    expect(page.get_by_role("region", name="Begin")).to_be_visible(timeout=PATIENCE_MS)
    for name in ("three.mp4", "two.mp4"):
        expect_status(row(page, name), "Done")
    (three,), (two,) = jobs_of(service, "three.mp4"), jobs_of(service, "two.mp4")
    assert three["created_at"] < two["created_at"]
    assert jobs_of(service, "one.mp4") == []


def test_a_file_that_the_browser_does_not_play_is_deblurred_all_the_same(page: Page, tmp_path: Path) -> None:
    choose(page, write_clip(tmp_path / "old.avi", Clip(frames=30, codec="mpeg4")))
    expect(page.get_by_text("This browser cannot play this file.")).to_be_visible()
    page.get_by_role("button", name="Deblur the first second").click()
    expect(page.get_by_role("img", name="After: the deblurred video")).to_be_visible(timeout=PATIENCE_MS)

    deblur(page)
    go_to_start(page)
    expect_status(row(page, "old.avi"), "Done")
