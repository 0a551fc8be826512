"""Looking closely at a result: frames, zoom, curve and prior, in a real Chromium."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import finished_job, until_loaded
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service, until

pytestmark = pytest.mark.integration

STEPS = (0, 1001, 4321, 5100, 9000, 9750, 20000, 20800, 30000, 41111, 42000, 50000)
VARIABLE = Clip(time_base=Fraction(1, 90000), pts=STEPS)


def compare(page: Page, service: Service, path: Path) -> None:
    finished_job(page, service, path).get_by_role("link", name=f"Open {path.name}").click()
    until_loaded(page)


def frame_shown(page: Page) -> str:
    return page.locator("#frame").inner_text()


def test_frames_are_stepped_one_by_one_also_at_a_variable_rate(
    page: Page, service: Service, tmp_path: Path
) -> None:
    compare(page, service, write_clip(tmp_path / "variable.mp4", VARIABLE))
    expect(page.locator("#curve")).to_be_visible()
    page.get_by_role("slider", name="Position in the video").fill("0")
    shown = []
    for _ in STEPS[1:]:
        page.keyboard.press(".")
        shown.append(frame_shown(page))
    assert shown == [f"Frame {number} of 12" for number in range(2, 13)]
    page.keyboard.press(",")
    assert frame_shown(page) == "Frame 11 of 12"
    at = [page.locator(f"#{name}").evaluate("(video) => video.currentTime") for name in ("before", "after")]
    assert at[0] == at[1] == pytest.approx(46000 / 90000, abs=0.001)


def test_the_curve_marks_the_frame_and_leads_to_it(page: Page, service: Service, tmp_path: Path) -> None:
    compare(page, service, write_clip(tmp_path / "curve.mp4", Clip(frames=50, cuts=(20, 35))))
    curve = page.get_by_role("slider", name="Frame, by its sharpness")
    curve.focus()
    page.keyboard.press("Home")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    until(lambda: frame_shown(page) == "Frame 11 of 50", "the frame that the curve leads to")
    assert float(page.locator("#curve-mark").get_attribute("x1") or 0) == pytest.approx(10 / 49 * 1000)
    assert re.match(r"frame 11: before [\d.]+, after [\d.]+", curve.get_attribute("aria-valuetext") or "")
    assert "of 50 frames became sharper" in page.locator("#curve-summary").inner_text()
    paths = page.locator("#curve-lines path").evaluate_all("(all) => all.map((one) => one.getAttribute('d'))")
    assert [len(re.findall("[ML]", path)) for path in paths] == [50, 50]
    cuts = page.locator("#curve-lines .cut").evaluate_all(
        "(all) => all.map((one) => Number(one.getAttribute('x1')))"
    )
    assert cuts == pytest.approx([20 / 49 * 1000, 35 / 49 * 1000], abs=0.1)
    assert "3 shots" in page.locator("#curve-summary").inner_text()


def test_the_prior_is_a_third_view_that_follows_the_frame(
    page: Page, service: Service, tmp_path: Path
) -> None:
    compare(page, service, write_clip(tmp_path / "prior.mp4", Clip(frames=20)))
    page.get_by_role("radio", name="Prior").check(force=True)
    expect(page.get_by_text("found again in the neighboring frames")).to_be_visible()
    page.get_by_role("slider", name="Position in the video").fill("0")
    expect(page.get_by_alt_text("Sharpness prior of frame 1", exact=True)).to_be_visible()
    page.keyboard.press(".")
    expect(page.get_by_alt_text("Sharpness prior of frame 2", exact=True)).to_be_visible()
    assert page.locator("#prior").evaluate("(image) => image.naturalWidth") > 0
    page.get_by_role("radio", name="After").check(force=True)
    expect(page.locator("#prior")).to_be_hidden()


def test_zoom_moves_both_pictures_as_one(page: Page, service: Service, tmp_path: Path) -> None:
    compare(page, service, write_clip(tmp_path / "zoomed.mp4", Clip(frames=20, width=320, height=180)))
    page.locator("#split").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Whole picture")).to_contain_text("2.3")
    box = page.locator("#stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6, steps=4)
    page.mouse.up()
    drawn = [page.locator(f"#{name}").bounding_box() for name in ("before", "after")]
    assert drawn[0] == pytest.approx(drawn[1], abs=0.1)
    assert drawn[0] is not None
    assert drawn[0]["width"] == pytest.approx(box["width"] * 2.25, rel=0.01)
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Whole picture")).to_be_disabled()


def test_a_part_of_a_video_stands_beside_that_part(page: Page, service: Service, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "part.mp4", Clip(frames=50))
    service.until_status(service.submit(path, start="1.0"), "succeeded")
    page.reload()
    page.get_by_role("link", name="Open part.mp4").click()
    until_loaded(page)
    page.get_by_role("slider", name="Position in the video").fill("0.42")
    assert frame_shown(page) == "Frame 11 of 25"
    at = [page.locator(f"#{name}").evaluate("(video) => video.currentTime") for name in ("before", "after")]
    assert at == pytest.approx([1.42, 0.42])
