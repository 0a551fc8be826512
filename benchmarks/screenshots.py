"""Walks through the page as a person does and takes its pictures: ``python -m benchmarks.screenshots``.

It starts the service, uses the page in an installed Chromium, from the empty start to a compared result, and writes
``docs/page_*.jpg``, which README and docs/page.md show. It prints how long the first deblurred second took to be seen.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np
from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright
from skimage.data import coffee

from benchmarks.clip import write_clip
from cascade.synthesis.demo_clip import FPS, render_demo_clip
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = (1100, 1180), (390, 844)
"""Width and height of the windows, in pixels."""
FRAME = 8
"""Number of a strongly blurred frame."""
REPETITIONS = 6
"""Times that the clip is sent in one file for the picture of a job that runs: long enough to be seen running."""
QUALITY = 82
"""Of the JPEG."""
TIMEOUT_MS = 300_000
HAVE_ENOUGH_DATA = 4
"""The readyState of a video that plays."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder for the pictures")
    folder = parser.parse_args().output
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print("screenshots: There is no Chromium on this machine (apt install chromium).", file=sys.stderr)
        return 1
    expect.set_options(timeout=TIMEOUT_MS)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _take_pictures(browser, Path(scratch), folder)
        browser.close()
    return 0


def _take_pictures(browser: Browser, scratch: Path, folder: Path) -> None:
    frames, _ = render_demo_clip(coffee())
    longer = scratch / "kitchen.mp4"
    write_clip(longer, np.concatenate([frames, frames[::-1]] * (REPETITIONS // 2)), round(FPS))
    with EmbeddedStack(EmbeddedOptions(data=scratch / "data")) as stack, Client(stack.url) as client:
        page = _open_page(browser, stack.url, "light", WIDE)
        job_id = _first_visit(page, folder)
        client.wait(job_id)
        _done(page, folder)
        _prior_in_the_dark(_open_page(browser, f"{stack.url}/#job/{job_id}", "dark", WIDE), folder)
        running = client.submit(longer)
        _phone(_open_page(browser, f"{stack.url}/#job/{running.id}", "light", PHONE), folder)
        _lists(_open_page(browser, stack.url, "light", WIDE), folder)
        _admin(_open_page(browser, f"{stack.url}/admin", "light", WIDE), folder)
        _german(_open_page(browser, stack.url, "light", WIDE, "de"), folder)


def _open_page(
    browser: Browser, url: str, scheme: Literal["light", "dark"], size: tuple[int, int], locale: str = "en"
) -> Page:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(color_scheme=scheme, viewport=viewport, locale=locale)  # type: ignore[arg-type]
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(url)
    return page


def _first_visit(page: Page, folder: Path) -> str:
    """Takes the empty page, the sample after a click, one second of it, and the job; returns the job's id."""
    expect(page.locator("#fact-limits")).not_to_be_empty()
    _write(page, folder / "page_empty.jpg")
    start = time.monotonic()
    page.get_by_role("button", name="Try it with a sample clip").click()
    page.get_by_role("button", name="Deblur one second here").click()
    expect(page.locator("#glimpse")).to_be_visible()
    print(f"First deblurred second: {time.monotonic() - start:.0f} s after the click on the sample clip")
    expect(page.locator("#second-note")).to_be_empty()  # all of the second is there
    expect(page.locator("#qualities")).to_contain_text("about")
    _write(page, folder / "page_second.jpg")
    page.get_by_role("button", name="Back to the video").click()
    _write(page, folder / "page_chosen.jpg")
    page.get_by_role("button", name="Deblur the whole video").click()
    page.wait_for_url("**/#job/*")
    expect(page.locator("#job-done")).to_contain_text("frames/s")
    expect(page.locator("#after-picture")).to_be_visible()
    _write(page, folder / "page_running.jpg")
    return page.url.rsplit("/", 1)[-1]


def _done(page: Page, folder: Path) -> None:
    expect(page.locator("#job-download")).to_be_visible()
    _show_frame(page)
    _write(page, folder / "page_compare.jpg")
    page.close()


def _prior_in_the_dark(page: Page, folder: Path) -> None:
    _show_frame(page)
    page.get_by_role("radio", name="Prior").check(force=True)
    expect(page.locator("#prior")).to_be_visible()
    _write(page, folder / "page_prior.jpg")
    page.close()


def _show_frame(page: Page) -> None:
    expect(page.locator("#curve")).to_be_visible()
    videos = [page.locator("#before"), page.locator("#after")]
    for video in videos:
        expect(video).to_have_js_property("readyState", HAVE_ENOUGH_DATA)
    page.get_by_role("slider", name="Frame, by its sharpness").fill(str(FRAME))
    for video in videos:
        expect(video).to_have_js_property("seeking", False)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def _phone(page: Page, folder: Path) -> None:
    expect(page.locator("#job-done")).to_contain_text("frames/s")
    expect(page.locator("#after-picture")).to_be_visible()
    _write(page, folder / "page_phone.jpg")
    page.close()


def _lists(page: Page, folder: Path) -> None:
    pictures = page.locator("#jobs .thumbnail:not(.unknown)")
    expect(pictures).to_have_count(2)
    page.locator("#list").scroll_into_view_if_needed()
    _write(page, folder / "page_list.jpg")
    page.get_by_role("button", name="Keyboard").click()
    _write(page, folder / "page_keys.jpg")
    page.close()


def _admin(page: Page, folder: Path) -> None:
    expect(page.get_by_role("table").first).to_be_visible()
    _write(page, folder / "page_admin.jpg")
    page.close()


def _german(page: Page, folder: Path) -> None:
    expect(page.locator("#fact-limits")).not_to_be_empty()
    _write(page, folder / "page_german.jpg")
    page.close()


def _write(page: Page, target: Path) -> None:
    """Saves what the window shows, down to the end of the page."""
    size = page.viewport_size
    assert size is not None
    bottom = page.evaluate("document.body.getBoundingClientRect().bottom")
    area: FloatRect = {"x": 0, "y": 0, "width": size["width"], "height": min(bottom, size["height"])}
    page.screenshot(path=target, type="jpeg", quality=QUALITY, clip=area)
    print(f"{target}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
