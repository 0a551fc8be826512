"""A page of another origin that sends a video straight from the browser, in a real Chromium, with its own server."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.examples.conftest import EXAMPLES, FRAMES, Used, npm
from tests.support.chromium import chromium
from tests.support.clips import read_frames
from tests.support.cutting_proxy import CuttingProxy, cutting
from tests.support.stack import PATIENCE_S

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("installed")]

FOLDER = EXAMPLES / "browser"
PATIENCE_MS = 1000 * PATIENCE_S


@pytest.fixture(scope="module")
def installed() -> None:
    """What the page loads, installed as its README says; asks no registry where it is there already."""
    npm("install", folder=FOLDER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@contextmanager
def page_server(used: Used, service: str) -> Iterator[str]:
    """The address of the page, whose server sends visitors to ``service``."""
    command = [sys.executable, "-W", "error", str(FOLDER / "server.py"), "--port", str(used.page_port)]
    environment = used.environment(CDVD_URL=service)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def proxy(used: Used) -> Iterator[CuttingProxy]:
    """A bad network between browser and service."""
    url = httpx.URL(used.service.url)
    with cutting(url.host, url.port or 80) as network:
        yield network


@pytest.fixture
def address(used: Used, proxy: CuttingProxy) -> Iterator[str]:
    with page_server(used, proxy.url) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def says(page: Page, text: str) -> None:
    expect(page.locator("#state")).to_have_text(text, timeout=PATIENCE_MS)


def downloaded(page: Page, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_text("Download").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_visitor_gets_their_video_back(
    used: Used, page: Page, address: str, clip: Path, tmp_path: Path
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda note: complaints.append(note.text) if note.type == "error" else None)
    page.goto(address)
    page.get_by_label("Video").set_input_files(clip)
    says(page, "Done.")
    result = downloaded(page, tmp_path)
    assert result.name == "shaky hand_deblurred.mp4"
    assert len(read_frames(result)) == FRAMES
    page.wait_for_function("document.getElementById('player').videoWidth === 96")
    assert complaints == []
    job = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
    assert job["input"]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert job["options"]["quality"] == "fast"


def test_an_upload_goes_on_where_the_network_cut_it(
    used: Used, page: Page, address: str, proxy: CuttingProxy, clip: Path, tmp_path: Path
) -> None:
    free = (600_000).to_bytes(4, "big") + b"free" + os.urandom(600_000 - 8)  # a box that players skip
    long = tmp_path / "long.mp4"
    long.write_bytes(clip.read_bytes() + free)
    page.goto(address)
    proxy.cut_up += [300_000]
    page.get_by_label("Video").set_input_files(long)
    says(page, "Done.")
    assert proxy.cuts == 1
    job = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
    assert job["input"]["sha256"] == hashlib.sha256(long.read_bytes()).hexdigest()


def test_a_refusal_is_told_to_the_visitor(page: Page, address: str, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video " * 100)
    page.goto(address)
    page.get_by_label("Video").set_input_files(text)
    expect(page.locator("#state")).to_contain_text("no container format that is accepted")


def test_a_page_that_was_not_allowed_reaches_nothing(used: Used, page: Page, address: str) -> None:
    """The same page under another name is another origin."""
    asking = """({service, key}) => fetch(`${service}/jobs`, {headers: {Authorization: `Bearer ${key}`}})
        .then((answer) => answer.status, (error) => error.name)"""
    given = {"service": used.service.url, "key": used.key}
    page.goto(address)
    assert page.evaluate(asking, given) == 200
    page.goto(address.replace("localhost", "127.0.0.1"))
    assert page.evaluate(asking, given) == "TypeError"


ALL_OF_TUS = """
async ({service, key, video}) => {
  const authorized = {Authorization: `Bearer ${key}`};
  const tus = {...authorized, "Tus-Resumable": "1.0.0"};
  const told = {};
  const ask = async (name, path, request) => {
    const answer = await fetch(service + path, request);
    told[name] = {status: answer.status, ...Object.fromEntries(answer.headers)};
    return answer;
  };
  const bytes = Uint8Array.from(atob(video), (letter) => letter.charCodeAt(0));
  const half = bytes.slice(0, bytes.length / 2), rest = bytes.slice(half.length);
  const body = (offset) => ({...tus, "Upload-Offset": `${offset}`, "Content-Type": "application/offset+octet-stream"});
  await ask("options", "/uploads", {method: "OPTIONS"});
  await ask("wrong version", "/uploads", {method: "POST", headers: {...authorized, "Upload-Length": "1"}});
  const length = {...tus, "Upload-Length": `${bytes.length}`, "Upload-Metadata": "filename YS5tcDQ="};
  const named = {...length, "X-Request-ID": "from-the-page"};
  const begun = await ask("create", "/uploads", {method: "POST", headers: named});
  const upload = begun.headers.get("Location");
  await ask("patch", upload, {method: "PATCH", headers: body(0), body: half});
  await ask("head", upload, {method: "HEAD", headers: tus});
  const digest = await crypto.subtle.digest("SHA-256", rest);
  const sum = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const checked = {...body(half.length), "Upload-Checksum": `sha256 ${sum}`};
  await ask("checked patch", upload, {method: "PATCH", headers: checked, body: rest});
  const other = await ask("other", "/uploads", {method: "POST", headers: length});
  await ask("delete", other.headers.get("Location"), {method: "DELETE", headers: tus});
  const form = new FormData();
  form.append("upload", upload.split("/").pop());
  const once = {...authorized, "Idempotency-Key": crypto.randomUUID(), Prefer: "respond-async"};
  const job = await ask("submit", "/jobs", {method: "POST", headers: once, body: form});
  await ask("waited", "/jobs", {method: "POST", headers: {...once, Prefer: "wait=60"}, body: form});
  const where = job.headers.get("Location");
  const events = await ask("events", `${where}/events`, {headers: {...authorized, "Last-Event-ID": "0-0"}});
  await events.text();  // ends with the job
  const seen = await ask("job", where, {headers: authorized});
  const known = {...authorized, "If-None-Match": seen.headers.get("ETag")};
  await ask("job again", where, {headers: known});
  await ask("part", `${where}/result`, {headers: {...authorized, Range: "bytes=0-99"}});
  await ask("wrong key", "/jobs", {headers: {Authorization: "Bearer no"}});
  return told;
}
"""


STATUSES = {
    "options": 204,
    "wrong version": 412,
    "create": 201,
    "patch": 204,
    "head": 200,
    "checked patch": 204,
    "other": 201,
    "delete": 204,
    "submit": 202,
    "waited": 202,
    "events": 200,
    "job": 200,
    "job again": 304,
    "part": 206,
    "wrong key": 401,
}


def test_all_of_tus_and_every_header_of_use_work_across_origins(
    used: Used, page: Page, address: str, clip: Path
) -> None:
    page.goto(address)
    video = base64.b64encode(clip.read_bytes()).decode()
    given = {"service": used.service.url, "key": used.key, "video": video}
    told: dict[str, dict[str, Any]] = page.evaluate(ALL_OF_TUS, given)
    statuses = {name: answer["status"] for name, answer in told.items()}
    assert statuses == STATUSES
    assert int(told["options"]["tus-max-size"]) > 0
    assert {"tus-version", "tus-extension", "tus-checksum-algorithm"} <= told["options"].keys()
    assert {"location", "upload-offset", "upload-expires", "tus-resumable"} <= told["create"].keys()
    assert told["create"]["x-request-id"] == "from-the-page"
    half = clip.stat().st_size // 2
    assert told["patch"]["upload-offset"] == told["head"]["upload-offset"] == str(half)
    assert told["head"]["upload-length"] == str(clip.stat().st_size)
    assert "upload-metadata" in told["head"]
    assert {"location", "retry-after"} <= told["submit"].keys()
    assert told["waited"]["preference-applied"] == "wait=60"
    assert told["job"]["etag"]
    assert 'filename="a_deblurred.mp4"' in told["part"]["content-disposition"]
    assert told["part"]["content-range"].startswith("bytes 0-99/")
    assert told["part"]["accept-ranges"] == "bytes"
    assert told["wrong key"]["www-authenticate"] == "Bearer"
