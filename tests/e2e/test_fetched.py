"""A job whose video the service fetches by itself, as the page shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PATIENCE_MS, open_job, row
from tests.support.clips import Clip, write_clip
from tests.support.origin import Manner, origin
from tests.support.stack import Service, running_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("page"), {"CDVD_TRANSFER_ALLOW_PRIVATE": "true"}) as running:
        yield running


def test_a_job_is_shown_before_its_video_is_there(page: Page, service: Service, tmp_path: Path) -> None:
    release = threading.Event()
    with origin() as server:
        server.files["/far.mp4"] = write_clip(tmp_path / "far.mp4", Clip(frames=24)).read_bytes()
        server.manners["/far.mp4"] = [Manner(only=2048, release=release)]
        job_id = service.http.post("/jobs", json={"input_url": f"{server.url}/far.mp4"}).json()["id"]

        expect(row(page, "far.mp4")).to_contain_text("fetched", timeout=PATIENCE_MS)
        open_job(page, job_id)
        expect(page.locator("#job-title")).to_have_text("far.mp4")
        expect(page.locator("#job-done")).to_contain_text("2 KiB of", timeout=PATIENCE_MS)
        release.set()
        expect(page.locator("#job-status")).to_have_text("Done", timeout=PATIENCE_MS)
        page.get_by_role("link", name="All videos").click()
        expect(row(page, "far.mp4")).to_contain_text("24 frames", timeout=PATIENCE_MS)
