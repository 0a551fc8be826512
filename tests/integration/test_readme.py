"""The lines of README.md, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clip, read_frames, write_clip
from tests.support.stack import Service, running_stack

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("readme")) as running:
        yield running


def shell(line: str, folder: Path) -> str:
    """Returns what a line prints."""
    done = subprocess.run(
        ["bash", "-euc", line], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_job_runs_by_the_lines_of_the_readme(service: Service, tmp_path: Path) -> None:
    write_clip(tmp_path / "shaky.mp4", Clip(frames=6))
    text = README.read_text().replace("http://127.0.0.1:8080", service.url)
    send, ask, fetch = re.findall(r"^curl .*$", text, re.MULTILINE)
    answer = shell(send, tmp_path)
    assert answer.startswith("HTTP/1.1 202")
    found = re.search(r"^location: /jobs/(\w+)", answer, re.MULTILINE | re.IGNORECASE)
    assert found is not None
    assert found[1] in shell(ask.replace("<id>", found[1]), tmp_path)
    service.until_status(found[1], "succeeded")
    shell(fetch.replace("<id>", found[1]), tmp_path)
    assert (tmp_path / "shaky_deblurred.mp4").stat().st_size > 0


def test_there_is_a_clip_to_try_with(tmp_path: Path) -> None:
    (line,) = re.findall(r"^cp .*$", README.read_text(), re.MULTILINE)
    (tmp_path / "service").symlink_to(ROOT / "service")
    shell(line, tmp_path)
    assert read_frames(tmp_path / "shaky.mp4")


def test_the_complexity_of_the_presets_is_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cascade.network.complexity"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "lite" in done.stdout
