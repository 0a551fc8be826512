"""Takes the README's pictures of the page from the running service: ``python -m benchmarks.screenshots``.

It deblurs the demo's clip, opens the result in an installed Chromium and writes ``docs/page_*.jpg``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright
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
TIMEOUT_MS = 60_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder for the pictures")
    folder = parser.parse_args().output
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print("screenshots: There is no Chromium on this machine (apt install chromium).", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _take_pictures(browser, Path(scratch), folder)
        browser.close()
    return 0


def _take_pictures(browser: Browser, scratch: Path, folder: Path) -> None:
    frames, _ = render_demo_clip(coffee())
    clip, longer = scratch / "espresso.mp4", scratch / "kitchen.mp4"
    write_clip(clip, frames, round(FPS))
    write_clip(longer, np.concatenate([frames, frames[::-1]] * (REPETITIONS // 2)), round(FPS))
    with EmbeddedStack(EmbeddedOptions(data=scratch / "data")) as stack, Client(stack.url) as client:
        client.wait(client.submit(clip).id)
        _save_comparison(_open_page(browser, stack.url, "light", WIDE), folder / "page_compare.jpg", "after")
        _save_comparison(_open_page(browser, stack.url, "dark", WIDE), folder / "page_prior.jpg", "prior")
        client.submit(longer)
        _save_running_job(_open_page(browser, stack.url, "light", PHONE), folder / "page_phone.jpg")


def _open_page(browser: Browser, url: str, scheme: Literal["light", "dark"], size: tuple[int, int]) -> Page:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(url)
    return page


def _save_comparison(page: Page, target: Path, view: str) -> None:
    page.get_by_role("link", name="Open espresso.mp4").click()
    expect(page.locator("#curve")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("radio", name=view.capitalize()).check(force=True)
    page.get_by_role("slider", name="Frame, by its sharpness").fill(str(FRAME))
    if view == "prior":
        expect(page.get_by_alt_text(f"frame {FRAME + 1}")).to_be_visible(timeout=TIMEOUT_MS)
    page.wait_for_function("[...document.querySelectorAll('video')].every((video) => !video.seeking)")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    _write(page, target)


def _save_running_job(page: Page, target: Path) -> None:
    expect(page.get_by_text("frames/s").first).to_be_visible(timeout=TIMEOUT_MS)
    _write(page, target)


def _write(page: Page, target: Path) -> None:
    page.screenshot(path=target, type="jpeg", quality=QUALITY)
    page.close()
    print(f"{target}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
