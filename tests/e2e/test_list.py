"""The list of jobs on the page: search, states, a selection, many jobs, and a service that goes away."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from service.jobs.job import Failure, new_job_id
from service.jobs.store import RedisJobStore
from service.redis_state.connection import connect
from tests.e2e.conftest import PATIENCE_MS, expect_status, row
from tests.integration.jobs.planned import SPEC
from tests.support.api_keys import redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import SLOW, PacedService, Service, until

pytestmark = pytest.mark.integration

MANY = 70
"""More than a page of the list."""
HUNDREDS, PAGE = 300, 50
"""Jobs of a long list, and of a page of it."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip(frames=12))


def names(page: Page) -> Locator:
    return page.locator("#jobs .name")


def test_jobs_are_searched_by_name_and_by_state(page: Page, service: Service, clip: Path) -> None:
    for name in ("Lake morning.mp4", "lake evening.mp4", "street.mp4"):
        service.until_status(service.submit(clip, name), "succeeded")
    page.reload()
    page.get_by_role("searchbox", name="Search by name").fill("LAKE")
    expect(names(page)).to_have_text(["lake evening.mp4", "Lake morning.mp4"])

    page.get_by_label("State", exact=True).select_option("Failed")
    expect(page.get_by_text("No job is like that.")).to_be_visible()
    page.get_by_label("State", exact=True).select_option("Done")
    expect(names(page)).to_have_count(2)


def test_previews_are_listed_only_where_they_are_asked_for(page: Page, service: Service, clip: Path) -> None:
    service.until_status(service.submit(clip, "whole.mp4"), "succeeded")
    service.until_status(service.submit(clip, "part.mp4", preview="true"), "succeeded")
    page.reload()
    expect(row(page, "whole.mp4")).to_be_visible()
    expect(row(page, "part.mp4")).to_have_count(0)

    page.get_by_label("State", exact=True).select_option("Previews")
    expect(names(page)).to_have_text(["part.mp4"])


def test_several_jobs_are_deleted_at_once(page: Page, service: Service, clip: Path) -> None:
    sent = [service.submit(clip, f"batch {number}.mp4") for number in range(3)]
    for job_id in sent:
        service.until_status(job_id, "succeeded")
    page.reload()
    page.get_by_role("searchbox").fill("batch")
    expect(names(page)).to_have_count(3)
    page.get_by_label("Select all").check()
    page.get_by_label("Select batch 1.mp4").uncheck()
    expect(page.get_by_text("2 selected")).to_be_visible()
    actions = page.locator("#selected-actions")
    expect(actions.get_by_role("button", name="Cancel")).to_be_disabled()
    actions.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 2 jobs, with their results?")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(names(page)).to_have_text(["batch 1.mp4"])
    assert [service.http.get(f"/jobs/{job_id}").status_code for job_id in sent] == [404, 200, 404]


def test_a_long_list_loads_as_it_is_scrolled_and_asks_little(
    page: Page, service: PacedService, clip: Path
) -> None:
    """All wait for an engine that is held, so that every one of them is unfinished."""
    sent = [service.submit(clip, f"queued {number:03}.mp4", model=SLOW) for number in range(MANY)]
    page.get_by_role("searchbox").fill("queued")
    expect(names(page).first).to_have_text(f"queued {MANY - 1:03}.mp4")
    expect(names(page).filter(has_not_text="queued")).to_have_count(0, timeout=PATIENCE_MS)
    assert names(page).count() < MANY
    until(lambda: page.mouse.wheel(0, 4000) or names(page).count() == MANY, "all to be loaded")
    assert names(page).all_text_contents() == [f"queued {number:03}.mp4" for number in reversed(range(MANY))]

    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.wait_for_timeout(6000)
    asked = [url for url in requests if re.search(r"/jobs(\?|/\w+$)", url)]
    assert 0 < len(asked) < 20, asked  # not one for each job
    for job_id in sent:
        service.http.delete(f"/jobs/{job_id}").raise_for_status()
    expect(names(page)).to_have_count(0, timeout=PATIENCE_MS)


def test_hundreds_of_jobs_cost_little_to_load_and_to_keep(page: Page, service: PacedService) -> None:
    """They are on record only, since restoring them would take an hour."""
    with connect(redis_url(service)) as client:
        store = RedisJobStore(client)
        ids = sorted(new_job_id() for _ in range(HUNDREDS))  # chance orders those of one millisecond
        for number, job_id in enumerate(ids):
            file = replace(SPEC.source, filename=f"hundreds {number:03}.mp4")
            job = store.create(job_id, replace(SPEC, source=file))
            store.fail(job.id, Failure("segment_gave_up", "It was made for a test."))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_role("searchbox", name="Search by name").fill("hundreds")
    expect(names(page).first).to_have_text(f"hundreds {HUNDREDS - 1:03}.mp4")
    expect(names(page).filter(has_not_text="hundreds")).to_have_count(0, timeout=PATIENCE_MS)
    assert sum("poster.jpg" in url for url in requests) < HUNDREDS / 3  # those in sight
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    until(lambda: page.mouse.wheel(0, 4000) or names(page).count() == HUNDREDS, "all to be loaded")
    loaded = busy_s(session)
    with page.expect_response(lambda answer: "/jobs?" in answer.url):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_label("Select all").check()
    expect(page.get_by_text(f"{HUNDREDS} selected")).to_be_visible()

    assert len([url for url in requests if "cursor=" in url]) == HUNDREDS / PAGE - 1
    assert [url for url in requests if re.search(r"/jobs/\w+$", url)] == []
    assert loaded < 5  # 0.7 where this was written
    assert busy_s(session) - loaded < 1  # 0.2


def busy_s(session: CDPSession) -> float:
    """Seconds of its processor that the page has used: other work on the machine does not count."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def test_a_service_that_goes_away_is_told_and_comes_back(page: Page, service: Service, clip: Path) -> None:
    service.until_status(service.submit(clip, "stays.mp4"), "succeeded")
    page.reload()
    expect(row(page, "stays.mp4")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("The service does not answer", timeout=PATIENCE_MS)
    expect(row(page, "stays.mp4")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("status").filter(has_text="answers again")).to_be_attached()


def test_a_job_of_another_client_appears_and_its_end_is_shown(
    page: Page, service: Service, clip: Path
) -> None:
    job_id = service.submit(clip, "elsewhere.mp4")
    expect(row(page, "elsewhere.mp4")).to_be_visible(timeout=PATIENCE_MS)
    expect_status(row(page, "elsewhere.mp4"), "Done")
    expect(row(page, "elsewhere.mp4")).to_contain_text(re.compile("12 frames"))
    service.http.delete(f"/jobs/{job_id}")
    expect(row(page, "elsewhere.mp4")).to_have_count(0, timeout=PATIENCE_MS)


def test_the_keys_are_listed_and_one_goes_to_the_search(page: Page, service: Service, clip: Path) -> None:
    service.until_status(service.submit(clip, "found.mp4"), "succeeded")
    page.reload()
    expect(row(page, "found.mp4")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Keyboard").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("search the jobs")
    assert dialog.get_by_role("term").count() > 8
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
