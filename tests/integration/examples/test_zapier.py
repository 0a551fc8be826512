"""The description for Zapier: by Zapier's own schema, and request by request against the real service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.integration.examples.conftest import EXAMPLES, FRAMES, VIDEO, Used, npm
from tests.integration.examples.zapier import Integration, at
from tests.support.clips import read_frames
from tests.support.origin import Manner, Origin
from tests.support.receiver import receiver
from tests.support.stack import until

pytestmark = pytest.mark.integration

FOLDER = EXAMPLES / "zapier"


def definition() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "definition.json").read_text()))


@pytest.fixture
def integration(used: Used) -> Integration:
    return Integration(definition(), {"url": used.service.url, "key": used.key})


def test_zapier_takes_the_description() -> None:
    npm("install", folder=FOLDER)
    npm("run", "--silent", "check", folder=FOLDER)


def test_its_check_would_find_a_fault(tmp_path: Path) -> None:
    npm("install", folder=FOLDER)
    wrong = definition()
    del wrong["creates"]["deblur"]["noun"]
    (tmp_path / "definition.json").write_text(json.dumps(wrong))
    (tmp_path / "package.json").write_text((FOLDER / "package.json").read_text())
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    with pytest.raises(subprocess.CalledProcessError):
        npm("run", "--silent", "check", folder=tmp_path)


def test_an_account_is_checked(used: Used, integration: Integration) -> None:
    assert integration.test().status_code == 200
    assert Integration(definition(), {"url": used.service.url, "key": "wrong"}).test().status_code == 401


def test_a_video_is_fetched_deblurred_put_away_and_told_of(
    integration: Integration, videos: Origin, tmp_path: Path
) -> None:
    with receiver() as hook:
        asked = {
            "video": f"{videos.url}{VIDEO}",
            "output_url": f"{videos.url}/sharp.mp4",
            "webhook_url": hook.url,
        }
        made = integration.act("deblur", quality="fast", **asked)
        assert made.status_code == 202, made.text

        def ended() -> Any:
            body = integration.act("wait", job=made.json()["id"]).json()
            return None if body["status"] in ("queued", "running") else body

        job = until(ended, "the job ends")
        assert job["status"] == "succeeded", job["error"]
        until(lambda: videos.of("PUT", "/sharp.mp4") and hook.received, "the result and the message")
    result = tmp_path / "sharp.mp4"
    result.write_bytes(videos.of("PUT", "/sharp.mp4")[0].body)
    assert len(read_frames(result)) == FRAMES
    for action in integration.definition["creates"].values():
        for field in action["operation"]["outputFields"]:
            at(job, field["key"])  # is there
            at(action["operation"]["sample"], field["key"])


def test_what_is_left_out_is_not_sent_and_a_job_can_be_canceled(
    integration: Integration, videos: Origin
) -> None:
    held = Event()
    videos.manners[VIDEO] = [Manner(only=10, release=held)]
    made = integration.act("deblur", video=f"{videos.url}{VIDEO}")
    assert made.status_code == 202, made.text
    assert made.json()["options"]["quality"] == "good"
    assert integration.act("cancel", job=made.json()["id"]).json()["status"] == "canceled"
    held.set()
