"""The API's documentation, read and followed as people do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from service.api.openapi.guide import GUIDE
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service

pytestmark = pytest.mark.integration


def test_docs_show_every_call_without_another_host(browser: Browser, service: Service) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda note: complaints.append(note.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(f"{service.url}/docs")
    calls = service.http.get("/openapi.json").json()["paths"].values()
    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in calls))
    expect(page.get_by_text("A job from submission to result")).to_be_visible()
    page.close()
    assert complaints == []
    assert asked == {urlsplit(service.url).netloc}


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_a_job_runs_by_the_lines_of_the_docs_alone(service: Service, tmp_path: Path) -> None:
    write_clip(tmp_path / "shaky.mp4", Clip(frames=6))
    found = re.search(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    lines = found[1].replace("http://127.0.0.1:8080", service.url)
    done = subprocess.run(
        ["bash", "-e", "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "shaky_deblurred.mp4").stat().st_size > 0
