"""The view of one job, in each of its states, in a real Chromium."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import PATIENCE_MS, open_job, until_loaded
from tests.e2e.test_accessibility import LEVELS
from tests.support.broken_clips import damage_frame
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, SLOW, PacedService, paced_stack, running_stack, until

pytestmark = pytest.mark.integration

SETTINGS = {"CDVD_SEGMENT_FRAMES": "10", "CDVD_BEST_MODEL": SLOW}
FRAMES = 30
CLIP = Clip(frames=FRAMES, width=320, height=180)
SIMPLE = Clip(frames=FRAMES, encoder={"crf": "8", "g": "5", "bf": "0"})
"""Where one frame is torn, only decoding tells."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("job"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "ride.mp4", CLIP)


def expect_status(page: Page, status: str) -> None:
    expect(page.locator("#job-status")).to_have_text(status, timeout=PATIENCE_MS)


def expect_frame(page: Page, number: int) -> None:
    expect(page.locator("#frame")).to_have_text(f"Frame {number} of {FRAMES}", timeout=PATIENCE_MS)


def done(page: Page, service: PacedService, path: Path, **options: str) -> str:
    """Open the view of a job that has succeeded."""
    job_id = service.submit(path, model=QUICK, **options)
    service.until_status(job_id, "succeeded")
    open_job(page, job_id)
    until_loaded(page)
    return job_id


def expect_accessible(page: Page) -> None:
    found = Axe().run(page, options=LEVELS)
    assert found.violations_count == 0, found.generate_report()


def test_frames_are_compared_while_they_are_restored(page: Page, service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.until_held()
    open_job(page, job_id)
    expect_status(page, "Deblurring")
    expect(page.locator("#before-picture")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#after-picture")).to_be_hidden()

    service.let_frames(job_id, 12)
    newest = service.job(job_id)["progress"]["newest_frame"]
    expect_frame(page, newest + 1)
    expect(page.locator("#after-picture")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#curve-lines path")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile(r"^\d+ of 30 frames, .* frames/s$"))).to_be_visible()
    expect(page.locator("#job-eta")).to_have_text(re.compile(r"^\d+:\d\d left$|^done any moment$"))
    expect_accessible(page)

    page.locator("#split").focus()
    page.keyboard.press(",")
    assert page.locator("#frame").inner_text() != f"Frame {newest + 1} of {FRAMES}"
    expect(page.get_by_role("button", name="Newest")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("slider", name="Frame, by its sharpness").fill("3")
    expect_frame(page, 4)
    expect(page.locator("#after-picture")).to_be_visible()

    service.pace.release()
    expect_status(page, "Done")
    until_loaded(page)
    expect_frame(page, 4)
    expect(page.locator("#after-picture")).to_be_hidden()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_newest_frame_is_followed(page: Page, service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    open_job(page, job_id)
    for frames in (10, 10):
        service.pace.let(frames)
        before = service.job(job_id)["progress"]["frames_done"]
        service.until_frames(job_id, before + 1)
        expect_frame(page, service.job(job_id)["progress"]["newest_frame"] + 1)
    expect(page.get_by_role("button", name="Newest")).to_have_attribute("aria-pressed", "true")
    service.http.delete(f"/jobs/{job_id}")
    expect(page.get_by_role("heading", name="This job no longer exists.")).to_be_visible(timeout=PATIENCE_MS)


def test_progress_goes_on_where_event_streams_are_cut(page: Page, service: PacedService, clip: Path) -> None:
    page.route("**/events", lambda route: route.abort("connectionreset"))
    job_id = service.submit_held(clip)
    open_job(page, job_id)
    expect_status(page, re.compile("Waiting|Deblurring"))  # type: ignore[arg-type]
    service.let_frames(job_id, 12)
    expect(page.locator("#job-done")).to_contain_text(re.compile(r"^[1-9]\d of 30 frames"))
    service.pace.release()
    expect_status(page, "Done")


def test_a_canceled_job_shows_its_beginning_and_goes_on_when_asked(
    page: Page, service: PacedService, clip: Path
) -> None:
    job_id = service.submit_held(clip)
    open_job(page, job_id)
    service.let_frames(job_id, 12)
    page.get_by_role("button", name="Cancel").click()
    expect_status(page, "Canceled")
    expect(page.get_by_text(re.compile("Its result has the first [12]0 frames."))).to_be_visible(
        timeout=PATIENCE_MS
    )
    until_loaded(page)
    expect_accessible(page)
    service.pace.release()
    page.get_by_role("button", name="Retry").click()
    expect_status(page, "Done")
    until_loaded(page)
    expect(page.locator("#frame")).to_contain_text("of 30")


def test_a_job_whose_turn_comes_later_says_so_and_shows_its_poster(
    page: Page, service: PacedService, clip: Path
) -> None:
    first = service.submit_held(clip)
    service.until_held()
    second = service.submit_held(clip)
    open_job(page, second)
    expect(page.get_by_text("Waits for its turn: 1 other job is not done yet.")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect_status(page, "Waiting")
    expect(page.locator("#before-picture")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate(
        "performance.getEntriesByType('resource').every(({ name }) => !name.includes('preview/0'))"
    )

    service.pace.release()
    for job_id in (first, second):
        service.until_status(job_id, "succeeded")
    expect_status(page, "Done")


def test_a_job_is_deleted_in_its_view(page: Page, service: PacedService, clip: Path) -> None:
    job_id = done(page, service, clip)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete ride.mp4, with its result?")
    dialog.get_by_role("button", name="Keep it").click()
    assert service.http.get(f"/jobs/{job_id}").status_code == 200
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#start")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="The job was deleted.")).to_be_attached()
    assert service.http.get(f"/jobs/{job_id}").status_code == 404
    expect(page.locator(f'#jobs [data-id="{job_id}"]')).to_have_count(0)


def test_a_failed_job_says_why(page: Page, service: PacedService, tmp_path: Path) -> None:
    path = damage_frame(write_clip(tmp_path / "torn.mp4", SIMPLE), 17, byte=0, kept=5)
    job_id = service.submit(path, model=QUICK, strict="true")
    service.until_status(job_id, "failed")
    open_job(page, job_id)
    expect_status(page, "Failed")
    expect(page.get_by_text("at 0.68 s")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect_accessible(page)


def test_before_and_after_flicker_in_one_place(page: Page, service: PacedService, clip: Path) -> None:
    done(page, service, clip)
    tags = {name: page.locator(f"#stage .tag-{name}") for name in ("before", "after")}
    page.locator("#split").focus()
    page.keyboard.press("b")
    expect(tags["after"]).to_be_hidden()
    expect(tags["before"]).to_be_visible()
    expect(page.locator("#stage .divider")).to_be_hidden()
    page.keyboard.press("b")
    expect(tags["after"]).to_be_visible()
    expect(tags["before"]).to_be_hidden()
    page.get_by_role("button", name="Flicker").click()
    expect(page.get_by_role("radio", name="Before")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.locator("#stage .divider")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#start")).to_be_visible()


def test_a_held_key_shows_before_only_for_as_long(page: Page, service: PacedService, clip: Path) -> None:
    done(page, service, clip)
    page.get_by_role("radio", name="After", exact=True).check(force=True)
    page.keyboard.down("b")
    expect(page.get_by_role("radio", name="Before", exact=True)).to_be_checked()
    page.wait_for_timeout(400)  # longer than a tap
    page.keyboard.up("b")
    expect(page.get_by_role("radio", name="After", exact=True)).to_be_checked()


def test_the_pictures_fill_the_screen_and_the_divider_moves_there(
    page: Page, service: PacedService, clip: Path
) -> None:
    done(page, service, clip)
    page.locator("#split").focus()
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.fullscreenElement.id") == "viewer"
    box = page.locator("#stage").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(page.evaluate("innerWidth"), abs=1)
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    assert page.locator("#split").input_value().startswith("25")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Full screen")).to_have_attribute("aria-pressed", "false")


def test_pixels_are_shown_one_by_one_and_larger(page: Page, service: PacedService, clip: Path) -> None:
    done(page, service, clip)
    shown = "document.getElementById('after').getBoundingClientRect().width / 320"
    fits = page.evaluate(shown)
    page.get_by_role("button", name="Pixel by pixel").click()
    first = page.evaluate(shown)
    assert first == pytest.approx(round(first), abs=0.01)  # each pixel is as large as every other
    assert first > fits
    page.keyboard.press("1")
    assert page.evaluate(shown) == pytest.approx(first * 2, rel=0.01)


def test_a_link_is_copied_or_shown_and_opens_the_job(page: Page, service: PacedService, clip: Path) -> None:
    job_id = done(page, service, clip)
    link = f"{service.url}/#job/{job_id}"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("status").filter(has_text="The link is copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link

    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_label("Link")).to_have_value(link)
    expect(page.get_by_label("Link")).to_be_focused()

    page.reload()
    expect(page.get_by_role("heading", name="ride.mp4")).to_be_visible()
    page.get_by_role("link", name="All videos").click()
    expect(page.locator("#start")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="ride.mp4")).to_be_visible()


def test_a_frame_is_saved(page: Page, service: PacedService, clip: Path) -> None:
    done(page, service, clip)
    page.locator("#split").focus()
    page.keyboard.press(".")
    with page.expect_download() as download:
        page.keyboard.press("s")
    assert download.value.suggested_filename == "ride_2.png"
    assert download.value.path().stat().st_size > 0
    expect(page.get_by_role("status").filter(has_text="Frame 2 is saved.")).to_be_visible()


def test_the_same_video_is_restored_again_with_the_best_quality(
    page: Page, service: PacedService, clip: Path
) -> None:
    service.pace.release()
    first = done(page, service, clip, codec="vp9", container="webm", start="0.2")
    page.get_by_role("button", name="Again with best quality").click()
    expect(page).not_to_have_url(re.compile(first), timeout=PATIENCE_MS)
    expect_status(page, "Done")
    expect(page.get_by_role("button", name="Again with best quality")).to_be_hidden()
    options: dict[str, Any] = service.job(page.url.rpartition("/")[2])["options"]
    assert (options["quality"], options["codec"], options["start"]) == ("best", "vp9", 0.2)


def test_a_result_that_the_browser_cannot_play_is_shown_frame_by_frame(
    page: Page, service: PacedService, clip: Path
) -> None:
    job_id = service.submit(clip, model=QUICK, codec="prores", container="mov")
    service.until_status(job_id, "succeeded")
    open_job(page, job_id)
    expect(page.get_by_text("its frames are shown as pictures")).to_be_visible()
    expect(page.locator("#after-picture")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("#split").focus()
    page.keyboard.press(".")
    expect_frame(page, 2)
    expect(page.get_by_role("link", name="Download (ProRes in MOV")).to_be_visible()


def test_a_frame_that_is_chosen_before_the_result_has_loaded_is_shown(
    page: Page, service: PacedService, clip: Path
) -> None:
    job_id = service.submit(clip, model=QUICK)
    service.until_status(job_id, "succeeded")
    held, released = list[Route](), threading.Event()
    page.route("**/result", lambda route: route.continue_() if released.is_set() else held.append(route))
    open_job(page, job_id)
    page.get_by_role("slider", name="Frame, by its sharpness").fill("8")
    until(lambda: page.evaluate("true") and held, "the result to be asked for")
    released.set()
    for route in held:
        route.continue_()
    expect_frame(page, 9)
    until_loaded(page)
    expect(page.locator("#before-picture")).to_be_hidden()


def test_what_is_kept_and_lost_is_listed(page: Page, service: PacedService, tmp_path: Path) -> None:
    done(page, service, write_clip(tmp_path / "lossy.mp4", Clip(pix_fmt="yuv444p")))
    lost = page.locator("#findings-lists [data-kind=lost]")
    expect(lost.get_by_role("heading")).to_have_text("Lost")
    expect(lost.get_by_role("listitem")).to_have_text([re.compile("^Chroma is reduced")])
    kept = page.locator("#findings-lists [data-kind=kept]").get_by_role("listitem")
    expect(kept.filter(has_text="12 frames, as many as in the source.")).to_be_visible()


def test_the_time_left_rises_only_with_a_reason(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            const { Countdown } = await import("./static/job/countdown.js");
            const countdown = new Countdown();
            const shown = [];
            const tell = (left, reason, now) => {
                countdown.update(left, reason, now);
                shown.push(countdown.left(now));
            };
            tell(60, null, 0);
            shown.push(countdown.left(1));      // it ticks
            tell(80, null, 2);                  // worse, and nobody says why
            shown.push(countdown.left(10));
            shown.push(countdown.left(30));     // the new estimate has come down to it
            tell(90, "fewer_workers", 31);      // worse, with a reason
            tell(95, null, 32);
            tell(10, null, 33);
            tell(null, null, 34);
            tell(50, null, 35);
            return shown;
        }"""
    )
    assert shown == [60, 59, 59, 59, 52, 90, 90, 10, None, 50]


def test_videos_are_there_to_see_once_a_seek_that_came_between_has_ended(page: Page) -> None:
    told = page.evaluate(
        """async () => {
            const { Player } = await import("./static/compare/player.js");
            class Video extends EventTarget { readyState = 0; error = null; paused = true; currentTime = 0; }
            const [before, after] = [new Video(), new Video()];
            const told = [];
            const on = { frame() {}, playing() {}, failed() {}, ready: () => told.push("ready") };
            const player = new Player(before, after, on);
            player.load("before.mp4", "after.mp4", { index: () => 0, middle: () => 0, lead: 0 });
            const happens = (video, event, readyState) => {
                video.readyState = readyState;
                video.dispatchEvent(new Event(event));
                told.push(event);
            };
            happens(after, "loadeddata", HTMLMediaElement.HAVE_CURRENT_DATA);
            happens(after, "seeking", HTMLMediaElement.HAVE_METADATA);
            happens(before, "loadeddata", HTMLMediaElement.HAVE_CURRENT_DATA);
            happens(after, "seeked", HTMLMediaElement.HAVE_CURRENT_DATA);
            return told;
        }"""
    )
    assert told == ["loadeddata", "seeking", "loadeddata", "ready", "seeked"]


def test_an_expired_job_says_that_its_files_are_gone(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, clip: Path
) -> None:
    with running_stack(tmp_path_factory.mktemp("expiry"), {"CDVD_RETENTION_S": "0.5"}) as service:
        job_id = service.submit(clip, model=QUICK)
        until(lambda: service.job(job_id)["status"] == "expired", "the job to expire")
        page = browser.new_page()
        page.goto(f"{service.url}/#job/{job_id}")
        expect_status(page, "Expired")
        expect(page.get_by_text("The files of this job have been removed")).to_be_visible()
        expect(page.locator("#compare")).to_be_hidden()
        expect_accessible(page)
        page.close()


def test_a_video_of_before_beside_after_is_made_and_downloaded(
    page: Page, service: PacedService, clip: Path
) -> None:
    done(page, service, clip)
    with page.expect_download() as download:
        page.get_by_role("button", name="Side-by-side video").click()
    assert download.value.suggested_filename == "ride_side_by_side.mp4"
    assert download.value.path().stat().st_size > 1000
    expect(page.get_by_role("status").filter(has_text="its download has begun")).to_be_visible()
