"""Uploads from the page that break and go on, in a real Chromium."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.choosing import choose, deblur, go_to_start
from tests.e2e.conftest import expect_status, row
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service, until

pytestmark = pytest.mark.integration


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A video with random sound of a few hundred kB behind it, so that there is something to cut."""
    clip = write_clip(tmp_path / "cut.mp4", Clip(frames=12))
    free = (200_000).to_bytes(4, "big") + b"free" + os.urandom(200_000 - 8)  # a box that players skip
    clip.write_bytes(clip.read_bytes() + free)
    return clip


def sent_whole(service: Service, path: Path) -> bool:
    (job,) = [
        one for one in service.http.get("/jobs").json()["jobs"] if one["input"]["filename"] == path.name
    ]
    return bool(job["input"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest())


def test_an_upload_goes_on_where_it_broke(page: Page, service: Service, path: Path) -> None:
    offsets: list[str] = []

    def half(route: Route) -> None:
        """The first request arrives only in part, and its answer never."""
        offsets.append(route.request.headers["upload-offset"])
        if len(offsets) > 1:
            return route.continue_()
        body = route.request.post_data_buffer or b""
        kept = {name: value for name, value in route.request.headers.items() if name != "content-length"}
        service.http.patch(route.request.url, content=body[: len(body) // 2], headers=kept)
        return route.abort("connectionreset")

    page.route(
        "**/uploads/*", lambda route: half(route) if route.request.method == "PATCH" else route.continue_()
    )
    choose(page, path)
    deblur(page)
    go_to_start(page)
    expect_status(row(page, path.name), "Done")

    assert offsets == ["0", str(path.stat().st_size // 2)]
    assert sent_whole(service, path)
    assert page.evaluate("Object.keys(localStorage)") == []


def test_an_upload_survives_the_closing_of_the_page(page: Page, service: Service, path: Path) -> None:
    path = path.rename(path.with_name("closed.mp4"))
    created: list[str] = []
    page.on("request", lambda one: created.append(one.url) if one.url.endswith("/uploads") else None)
    page.route("**/uploads/*", lambda route: route.abort("connectionreset"))
    choose(page, path)
    expect(row(page, path.name)).to_contain_text("Trying again in")
    page.unroute_all()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(page.locator("#unfinished")).to_contain_text("closed.mp4")
    choose(page, path)
    deblur(page)
    go_to_start(page)
    expect_status(row(page, path.name), "Done")
    assert len(created) == 1
    assert sent_whole(service, path)
    expect(page.locator("#unfinished")).to_be_hidden()


def test_an_upload_is_paused_and_stopped(page: Page, service: Service, path: Path) -> None:
    path = path.rename(path.with_name("stopped.mp4"))
    held: list[Route] = []
    page.route(
        "**/uploads/*",
        lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_(),
    )
    choose(page, path)
    until(lambda: bool(held) or page.wait_for_timeout(20), "the bytes to go")
    page.get_by_role("button", name="Pause the upload").click()
    expect(row(page, path.name)).to_contain_text("Paused at")
    page.get_by_role("button", name="Resume the upload").click()
    page.get_by_role("button", name="Remove").click()

    expect(page.get_by_label("Choose videos")).to_be_focused()
    expect(row(page, path.name)).to_have_count(0)
    assert page.evaluate("Object.keys(localStorage)") == []
    spool = service.data / "uploads"
    until(lambda: not any(spool.rglob("data")) or page.wait_for_timeout(20), "its bytes to be removed")
