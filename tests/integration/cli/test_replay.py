"""``cdvd replay``: a report and its video give the same bytes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.embedded import EmbeddedOptions, EmbeddedStack
from tests.support.command import complaint, run
from tests.support.stack import PATIENCE_S, Service
from tests.support.track_clips import Track, Tracks, write_tracks

pytestmark = pytest.mark.integration

CLIP = Tracks([Track("pcm_s16le")], frames=30, seconds=1.2, codec="mjpeg", pix_fmt="yuvj420p")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the shipped models: what they restore depends on windows and looks."""
    data = tmp_path_factory.mktemp("replay") / "data"
    with (
        EmbeddedStack(EmbeddedOptions(data=data, start_timeout_s=PATIENCE_S)) as stack,
        httpx.Client(base_url=stack.url, timeout=PATIENCE_S, trust_env=False) as http,
    ):
        yield Service(http, data)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_tracks(tmp_path / "in.avi", CLIP)


@pytest.mark.parametrize("fields", [{}, {"start": "0.2", "end": "0.9", "looks": "2", "sound": "compatible"}])
def test_a_report_and_its_video_give_the_same_bytes(
    tmp_path: Path, source: Path, service: Service, fields: dict[str, str]
) -> None:
    job_id = service.submit(source, model="cdvd_lite", **fields)
    service.until_status(job_id, "succeeded")
    report = tmp_path / "report.json"
    report.write_text(run("report", job_id, "--url", service.url, "--json").stdout)
    ran = run("replay", report, source, "--json")

    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["same_bytes"]
    assert Path(told["output"]) == tmp_path / "in_replayed.mp4"
    assert (tmp_path / "in_replayed.mp4").read_bytes() == service.http.get(f"/jobs/{job_id}/result").content

    source.write_bytes(source.read_bytes() + b"\0")
    other = run("replay", report, source, "--force")
    assert other.returncode == 1
    assert "not the video of the report" in complaint(other)


def test_a_report_that_does_not_tell_enough_is_refused(tmp_path: Path, source: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"job": "1"}')
    ran = run("replay", report, source)

    assert ran.returncode == 1
    assert "it lacks model" in complaint(ran)
