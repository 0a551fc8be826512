"""The web page in a real Chromium, on the real service."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.choosing import choose, deblur, go_to_start, send
from tests.e2e.conftest import PATIENCE_MS, expect_status, finished_job, row, until_loaded
from tests.support.clips import Clip, write_clip
from tests.support.stack import SLOW, PacedService, Service, until

pytestmark = pytest.mark.integration

CLIP = Clip(frames=50, audio="aac")
LONG = Clip(frames=100)
PHONE = {"width": 360, "height": 740}


def times(page: Page) -> tuple[float, float]:
    """Positions of the video before and after, in seconds."""
    before, after = page.evaluate("['before', 'after'].map((id) => document.getElementById(id).currentTime)")
    return before, after


def test_a_video_goes_from_the_file_picker_to_a_download(
    page: Page, service: Service, tmp_path: Path
) -> None:
    job = send(page, write_clip(tmp_path / "picked.mp4", CLIP))
    expect(job.get_by_text(re.compile("96.64, 50 frames"))).to_be_visible()
    expect_status(job, "Done")
    expect(page.get_by_role("status").filter(has_text="picked.mp4: Done")).to_be_attached()
    with page.expect_download() as download:
        job.get_by_role("link", name="Download picked.mp4").click()
    (finished,) = [
        found
        for found in service.http.get("/jobs").json()["jobs"]
        if found["input"]["filename"] == "picked.mp4"
    ]
    assert download.value.suggested_filename == "picked_deblurred.mp4"
    assert download.value.path().stat().st_size == finished["output"]["bytes"]


def test_the_card_says_what_is_kept_and_what_is_lost(page: Page, tmp_path: Path) -> None:
    kept = send(page, write_clip(tmp_path / "kept.mp4", CLIP))
    expect_status(kept, "Done")
    kept.get_by_text("Nothing lost but the blur").click()
    expect(kept.get_by_role("listitem").filter(has_text="Kept: Sound of stream 1 (aac)")).to_be_visible()

    lossy = send(page, write_clip(tmp_path / "lossy.mp4", Clip(pix_fmt="yuv444p")))
    expect_status(lossy, "Done")
    lossy.get_by_text("1 loss").click()
    expect(lossy.get_by_role("listitem").first).to_have_text(re.compile("^Lost: Chroma is reduced"))


def test_the_quality_is_chosen_and_remembered(page: Page, service: Service, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "careful.mp4", CLIP)
    choose(page, path)
    quality = page.get_by_role("group", name="Quality")
    cards = [re.compile("Fast"), re.compile("Good"), re.compile("Model slow")]
    expect(quality.locator("label")).to_have_text(cards)
    quality.get_by_role("radio", name="Good").check()
    deblur(page)
    go_to_start(page)
    expect_status(row(page, "careful.mp4"), "Done")

    jobs = {job["input"]["filename"]: job for job in service.http.get("/jobs").json()["jobs"]}
    options = jobs["careful.mp4"]["options"]
    assert (options["quality"], options["looks"]) == ("good", 4)
    page.reload()
    choose(page, path)
    expect(quality.get_by_role("radio", name="Good")).to_be_checked()


def test_a_video_can_be_dropped_anywhere_on_the_page(page: Page, tmp_path: Path) -> None:
    data = base64.b64encode(write_clip(tmp_path / "clip.mp4").read_bytes()).decode()
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped.mp4"));
            for (const type of ["dragover", "drop"])
                document.body.dispatchEvent(
                    new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    deblur(page)
    go_to_start(page)
    expect_status(row(page, "dropped.mp4"), "Done")


def test_a_refused_file_is_explained_in_the_services_words(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("This is not a video. " * 50)
    choose(page, path)
    page.get_by_role("button", name="Deblur the whole video").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(
        "notes.txt: This is not a video that can be read. The file is in no container"
    )
    expect(row(page, "notes.txt")).to_have_count(0)
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_be_hidden()


def test_a_running_job_shows_progress_and_can_be_canceled_retried_and_deleted(
    page: Page, service: PacedService, tmp_path: Path
) -> None:
    service.pace.let(24)
    job = send(page, write_clip(tmp_path / "long.mp4", LONG), SLOW)
    expect(job.get_by_text(re.compile(r"2[4-9] of 100 frames, .* frames/s, \d+:\d\d left"))).to_be_visible(
        timeout=PATIENCE_MS
    )
    assert 0 < job.get_by_role("progressbar").evaluate("(bar) => bar.value") < 1
    job.get_by_role("button", name="Cancel").click()
    expect_status(job, "Canceled")
    job.get_by_role("button", name="Retry").click()
    expect(job.get_by_role("button", name="Cancel")).to_be_visible()
    job_id = str(job.get_attribute("data-id"))
    job.get_by_role("button", name="Delete").click()
    page.keyboard.press("Escape")
    expect(job).to_be_visible()
    job.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)
    assert service.http.get(f"/jobs/{job_id}").status_code == 404


def test_before_and_after_stay_together(page: Page, service: Service, tmp_path: Path) -> None:
    job = finished_job(page, service, write_clip(tmp_path / "compared.mp4", CLIP))
    job.get_by_role("link", name="Open compared.mp4").click()
    until_loaded(page)
    page.get_by_role("button", name="Play").click()
    until(lambda: min(times(page)) > 0.2, "both videos to play")
    page.get_by_role("button", name="Pause").click()
    until(lambda: times(page)[0] == times(page)[1], "both to stop at the same time")
    page.get_by_role("slider", name="Position in the video").fill("1")
    until(lambda: times(page) == (1.0, 1.0), "both to go to the same place")
    page.get_by_role("button", name="One frame forward").click()
    until(lambda: times(page) == (pytest.approx(1.06, abs=0.001),) * 2, "both to go on by one frame")


def test_the_divider_moves_by_keyboard_and_by_pointer(page: Page, service: Service, tmp_path: Path) -> None:
    job = finished_job(page, service, write_clip(tmp_path / "divided.mp4", CLIP))
    job.get_by_role("link", name="Open divided.mp4").click()
    until_loaded(page)
    divider = page.get_by_role("slider", name="Divider between before and after")
    divider.focus()
    page.keyboard.press("ArrowRight")
    assert shown_before(page) == pytest.approx(51)
    page.keyboard.press("Home")
    assert shown_before(page) == 0
    box = divider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert shown_before(page) == pytest.approx(75, abs=2)


def shown_before(page: Page) -> float:
    """Percent of the width that shows the video before."""
    clip = page.locator("#stage .layer.right").evaluate("(layer) => getComputedStyle(layer).clipPath")
    found = re.fullmatch(r"inset\(0px 0px 0px ([\d.]+)(?:%|px)\)", clip)
    assert found, clip
    return float(found[1])


def test_an_outage_is_told_and_forgotten(page: Page) -> None:
    page.wait_for_load_state("networkidle")  # an answer under way would say that there is none
    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.context.set_offline(False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_page_fits_a_phone(page: Page, service: Service, tmp_path: Path) -> None:
    page.set_viewport_size(PHONE)
    name = f"{'a_very_long_name_without_any_space' * 3}.mp4"
    job = finished_job(page, service, write_clip(tmp_path / name, Clip(frames=50, width=640, height=360)))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    job.get_by_role("link", name="Open").click()
    until_loaded(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_control_has_a_name_for_screen_readers(page: Page, service: Service, tmp_path: Path) -> None:
    job = finished_job(page, service, write_clip(tmp_path / "named.mp4", CLIP))
    job.get_by_role("link", name="Open").click()
    until_loaded(page)
    tree = page.locator("body").aria_snapshot()
    controls = re.findall(r"- (button|slider|combobox|link|progressbar)(.*)", tree)
    assert len(controls) > 8
    assert [kind for kind, name in controls if not name.strip().startswith('"')] == []
