"""A worker whose link to the object store goes bad in the middle of a job: the job waits, and ends right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.reliability.chaos.links import Link, State
from tests.support.clips import Clip, write_clip
from tests.support.cluster import cluster, until_ready
from tests.support.object_store import free_port, running_object_store, settings
from tests.support.paced_triton import PacedTriton
from tests.support.redis_servers import redis_server
from tests.support.stack import SLOW, Service, held_engine, until

pytestmark = pytest.mark.integration

SEGMENTS = 2


@dataclass(frozen=True)
class Scene:
    """A gateway that reaches the store well, and one worker behind a link."""

    service: Service
    engine: PacedTriton
    link: Link
    log: Path
    """Of the worker."""

    def submit_held(self, clip: Path) -> str:
        """Returns the id of a job whose first windows are at the engine."""
        job_id = self.service.submit(clip, model=SLOW)
        until(lambda: self.engine.pace.waiting, "a window is at the engine")
        return job_id

    def result(self, job_id: str) -> str:
        return hashlib.sha256(self.service.http.get(f"/jobs/{job_id}/result").content).hexdigest()


@contextmanager
def running_scene(root: Path) -> Iterator[Scene]:
    address = f"redis://127.0.0.1:{free_port()}/0"
    with (
        redis_server(root / "redis", address, {"port": str(urlsplit(address).port)}),
        running_object_store(root) as store,
        held_engine() as engine,
    ):
        target = urlsplit(str(store.endpoint))
        shared = {
            **settings(store),
            **engine.settings(),
            "CDVD_SEGMENT_FRAMES": "12",
            "CDVD_REDIS_URL": address,
        }
        with (
            Link(lambda: (str(target.hostname), int(target.port or 0))) as link,
            cluster(root, shared) as processes,
        ):
            service = processes.gateway()
            processes.worker("far", CDVD_S3_ENDPOINT=f"http://127.0.0.1:{link.port}")
            until_ready(service, workers=1)
            yield Scene(service, engine, link, root / "far.log")


def test_jobs_wait_for_a_link_that_is_slow_silent_or_cut(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=12 * SEGMENTS))
    with running_scene(tmp_path) as scene:
        scene.engine.pace.release()
        good = scene.service.submit(clip, model=SLOW)
        scene.service.until_status(good, "succeeded")

        scene.link.become(State.SLOW)
        slow = scene.service.submit(clip, model=SLOW)
        scene.service.until_status(slow, "succeeded")
        scene.link.become(State.GOOD)

        scene.engine.pace.hold()
        silent = scene.submit_held(clip)
        scene.link.become(State.STALLED)
        scene.engine.pace.release()
        until(lambda: scene.link.holds, "the worker has something to send")
        assert scene.service.http.get(f"/jobs/{silent}").json()["status"] == "running"
        scene.link.become(State.GOOD)
        scene.service.until_status(silent, "succeeded")

        scene.engine.pace.hold()
        cut = scene.submit_held(clip)
        scene.link.become(State.BROKEN)
        scene.engine.pace.release()
        until(lambda: "The step is tried again" in scene.log.read_text(), "a step is put off")
        assert scene.service.http.get(f"/jobs/{cut}").json()["status"] == "running"
        scene.link.become(State.GOOD)
        scene.service.until_status(cut, "succeeded")

        assert len({scene.result(job_id) for job_id in (good, slow, silent, cut)}) == 1
