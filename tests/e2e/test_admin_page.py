"""The page of operators, in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from service.jobs.job import Failure
from service.jobs.store import RedisJobStore
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing, Scope
from tests.e2e.conftest import PATIENCE_MS
from tests.e2e.test_accessibility import LEVELS
from tests.e2e.test_key_page import sign_in
from tests.support.api_keys import new_key, redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import PacedService, Service

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(page: Page, service: Service) -> Page:
    page.goto(f"{service.url}/admin")
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
    return page


@pytest.fixture(scope="module")
def failed(service: PacedService, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a video whose job failed."""
    clip = write_clip(tmp_path_factory.mktemp("clips") / "unlucky.mp4", Clip(frames=4))
    job_id = service.submit_held(clip)
    with connect(redis_url(service)) as client:
        RedisJobStore(client).fail(job_id, Failure("segment_gave_up", "It crashed its worker 3 times."))
    service.pace.release()
    return clip.name


def test_a_job_of_the_queue_is_canceled(admin: Page, service: PacedService, tmp_path: Path) -> None:
    job_id = service.submit_held(write_clip(tmp_path / "waits.mp4", Clip(frames=12)))
    service.until_held()

    row = admin.get_by_role("row").filter(has_text="default")
    expect(row.get_by_role("cell")).to_have_text(["default", "1", "0", "12", "-"])
    admin.once("dialog", lambda dialog: dialog.accept())
    admin.get_by_role("button", name="Cancel waits.mp4").click()

    expect(admin.get_by_text("Nothing runs or waits.")).to_be_visible()
    assert service.job(job_id)["status"] == "canceled"
    service.pace.release()


def test_a_worker_drains_and_takes_work_again(admin: Page, service: Service, tmp_path: Path) -> None:
    worker = admin.get_by_role("listitem").filter(has_text="frames/s")
    admin.get_by_role("button", name="Drain").press("Enter")
    expect(worker).to_contain_text("Drained", timeout=PATIENCE_MS)
    again = admin.get_by_role("button", name="Take work again")
    expect(again).to_be_focused()
    job_id = service.submit(write_clip(tmp_path / "patient.mp4", Clip(frames=4)))
    expect(admin.get_by_role("button", name="Cancel patient.mp4")).to_be_visible()

    again.press("Enter")

    service.until_status(job_id, "succeeded")
    expect(worker).to_contain_text("Free", timeout=PATIENCE_MS)


def test_the_intake_is_closed_and_opened(admin: Page, service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=4))
    admin.get_by_role("button", name="Take no new work").click()
    expect(admin.get_by_text("are refused with 503")).to_be_visible()
    assert service.post(clip).json()["code"] == "intake_closed"
    admin.get_by_role("button", name="Take new work").click()
    expect(admin.get_by_text("are refused with 503")).to_be_hidden()
    service.until_status(service.submit(clip), "succeeded")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits(
    admin: Page,
    service: PacedService,
    failed: str,
    tmp_path: Path,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no color halfway
    admin.set_viewport_size({"width": width, "height": 900})
    job_id = service.submit_held(write_clip(tmp_path / f"a_rather_long_name_{'x' * 60}.mp4", Clip(frames=12)))
    service.until_held()
    expect(admin.get_by_role("button", name="Cancel a_rather_long")).to_be_visible()
    expect(admin.get_by_role("listitem").filter(has_text=failed)).to_contain_text("It crashed its worker")
    expect(admin.get_by_text(f"of {job_id[:12]}")).to_be_visible(timeout=PATIENCE_MS)

    found = Axe().run(admin, options=LEVELS)
    wider = admin.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    service.http.post(f"/jobs/{job_id}/cancel")
    service.pace.release()

    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 15
    assert wider == 0


def test_a_key_without_the_scope_sees_nothing(browser: Browser, service: Service) -> None:
    """The last test of this module: from now on the service asks for keys."""
    with connect(redis_url(service)) as client:
        ring = KeyRing(client)
        reader, operator = new_key(ring, Scope.READ, Scope.SUBMIT), new_key(ring, Scope.ADMIN)
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{service.url}/admin")
    sign_in(page, reader)
    expect(page.get_by_role("alert")).to_contain_text("admin")
    expect(page.get_by_role("heading", name="Workers")).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, operator)
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
    context.close()
