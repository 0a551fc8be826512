"""The workflow for n8n, node by node, against the real service."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.examples.conftest import EXAMPLES, FRAMES, VIDEO, Used
from tests.integration.examples.workflow import Workflow, WorkflowStoppedError
from tests.support.clips import read_frames
from tests.support.origin import Origin
from tests.support.stack import SLOW, until

pytestmark = pytest.mark.integration


def exported() -> dict[str, Any]:
    return dict(json.loads((EXAMPLES / "n8n" / "deblur.json").read_text()))


def workflow(used: Used, text: dict[str, Any], videos: Origin, **settings: str) -> Workflow:
    credentials = {"cdvd key": {"Authorization": f"Bearer {used.key}"}}
    video = f"{videos.url}{VIDEO}"
    return Workflow(text, credentials, service=used.service.url, video=video, **settings)


def test_a_video_goes_through_the_workflow(used: Used, videos: Origin, tmp_path: Path) -> None:
    running = workflow(used, exported(), videos, quality="fast")
    result = tmp_path / "result.mp4"
    result.write_bytes(running.run().binary["data"][1])
    assert len(read_frames(result)) == FRAMES
    job = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
    assert job["options"]["quality"] == "fast"
    where = f"/jobs/{job['id']}"
    in_order = list(dict.fromkeys(running.requests))  # it asks for the job more than once
    assert in_order == ["GET /shaky hand.mp4", "POST /jobs", f"GET {where}", f"GET {where}/result"]


def test_a_job_that_does_not_succeed_stops_the_workflow(used: Used, videos: Origin) -> None:
    text = exported()
    (submit,) = (node for node in text["nodes"] if node["name"] == "Submit")
    submit["parameters"]["bodyParameters"]["parameters"][0] |= {"name": "model", "value": SLOW}
    used.service.pace.hold()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(workflow(used, text, videos).run)
        until(lambda: used.service.pace.waiting or running.done(), "a window at the engine")
        job = used.service.http.get("/jobs?limit=1").json()["jobs"][0]
        assert used.service.http.post(f"/jobs/{job['id']}/cancel").status_code == 202
        with pytest.raises(WorkflowStoppedError, match="canceled"):
            running.result(120)
    used.service.pace.release()
