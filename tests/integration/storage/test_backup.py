"""Copies of a service's data: a backup that is restored elsewhere, and what a crash leaves of the last second."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import redis

from tests.support.api_keys import redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, paced_stack, running_stack

pytestmark = pytest.mark.integration


def test_backup_of_a_stopped_service_goes_on_elsewhere(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=36))
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
    with paced_stack(first, {"CDVD_SEGMENT_FRAMES": "12"}) as service:
        done = service.submit(clip, model=QUICK)
        result = service.until_status(done, "succeeded")["output"]
        halfway = service.submit_held(clip)
        service.let_frames(halfway, 12)
    shutil.copytree(first / "data", second / "data", ignore=shutil.ignore_patterns("run"))
    shutil.rmtree(first / "data")

    with paced_stack(second, {"CDVD_SEGMENT_FRAMES": "12"}) as service:
        service.pace.release()
        assert service.job(done)["output"] == result
        assert service.http.get(f"/jobs/{done}/result").is_success
        assert service.until_status(halfway, "succeeded")["output"]["sha256"] == result["sha256"]


def test_success_that_redis_lost_in_a_crash_is_found_again(tmp_path: Path) -> None:
    """Redis writes its log once a second; by then the pieces of a finished job may be gone."""
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=12))
    with running_stack(tmp_path) as service, redis.Redis.from_url(redis_url(service)) as client:
        job_id = service.submit(clip)
        before = service.until_status(job_id, "succeeded")
        with client.pipeline(transaction=True) as pipe:
            pipe.hset(f"cdvd:job:{job_id}", "status", "running")
            pipe.hdel(f"cdvd:job:{job_id}", "output", "finished_at", "expires_at")
            pipe.hset(f"cdvd:job:{job_id}:steps", "finish", "queued 0")
            for prefix in ("cdvd", "cdvd:tenant:default"):
                pipe.zrem(f"{prefix}:jobs:succeeded", job_id)
                pipe.zadd(f"{prefix}:jobs:running", {job_id: 0})
            pipe.execute()

        after = service.until_status(job_id, "succeeded")

        assert after["output"] == before["output"]
        assert json.dumps(after["findings"]) == json.dumps(before["findings"])
