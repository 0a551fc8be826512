"""Measures how long a small job waits for large ones: ``python -m benchmarks.fairness``, in about two minutes.

The real service runs, embedded, with one worker and an engine that sleeps a fixed time per frame, one window at a time,
as a device would that is always busy. Each job is measured alone first, then beside the others.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from service.inference.engine import Frames, Stopped, never
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing
from tests.support.api_keys import new_key, redis_url, submitted, until_ended
from tests.support.clips import Clip, write_clip
from tests.support.fake_engines import IdentityEngine
from tests.support.paced_triton import paced_triton
from tests.support.stack import QUICK, Service, running_stack, until

FRAME_S = 0.05
"""Seconds that the engine takes for a frame: so long that the service's own work hardly counts."""
WINDOW = 12
"""Frames of a window of small clips."""
MANY = 50


class SleepingEngine(IdentityEngine):
    """Sleeps for each window, one at a time."""

    def __init__(self) -> None:
        self._device = Lock()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        restored = super().restore(window, stopped)
        with self._device:
            time.sleep(len(restored) * FRAME_S)
        return restored


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=MANY, help="jobs of the other tenant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(measure(Path(directory), options.jobs))


def measure(directory: Path, jobs: int) -> str:
    """Returns the table."""
    with paced_triton({QUICK: SleepingEngine()}, {}) as server:
        settings = {**server.settings(), "CDVD_WINDOWS_IN_FLIGHT": "2"}
        with running_stack(directory, settings) as service, connect(redis_url(service)) as client:
            tenants = _Tenants(service, KeyRing(client), directory)
            alone = [tenants.alone(48), tenants.alone(24)]
            rows = [tenants.beside_many(jobs, alone[0]), tenants.beside_long(alone[1])]
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}; one worker, "
    return "\n".join(
        [
            f"{head}a window of {WINDOW} frames takes {WINDOW * FRAME_S:g} s.",
            "",
            "| job | beside | alone | beside the others | ratio | windows later |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


class _Tenants:
    """Tenants A and B, and what their jobs take."""

    def __init__(self, service: Service, ring: KeyRing, directory: Path) -> None:
        self._service = service
        self._directory = directory
        self._a, self._b, self._other = (new_key(ring, tenant=tenant) for tenant in "abc")

    def alone(self, frames: int) -> float:
        """Returns the seconds that a job takes while nothing else is to do; the first one pays for what is loaded.

        It is another tenant's, because what B had lately would count against it.
        """
        return min(self._time(self._clip(frames), self._other) for _ in range(2))

    def beside_many(self, jobs: int, alone: float) -> str:
        """Measures B's job beside those of A; returns a row."""
        clip = self._clip(48)
        others = [submitted(self._service, clip, self._a) for _ in range(jobs)]
        beside = self._time(clip, self._b)
        self._drop(others)
        return _row("B's one of 48 frames", f"A's {jobs} of 48 frames", alone, beside)

    def beside_long(self, alone: float) -> str:
        """Measures a short job beside a long one of the same tenant; returns a row."""
        other = submitted(self._service, self._clip(480), self._a)
        until(lambda: self._job(other)["progress"]["frames_done"], "the long job is in work")
        beside = self._time(self._clip(24), self._a)
        self._drop([other])
        return _row("24 frames", "480 frames of the same tenant", alone, beside)

    def _time(self, clip: Path, key: dict[str, str]) -> float:
        """Returns the seconds from the submission of a job to its end, by the clock of the service."""
        job = until_ended(self._service, submitted(self._service, clip, key), key)
        if job["status"] != "succeeded":
            raise SystemExit(f"A job has {job['status']}: {job['error']}")
        created, finished = (datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
        return (finished - created).total_seconds()

    def _clip(self, frames: int) -> Path:
        path = self._directory / f"{frames}.mp4"
        return path if path.exists() else write_clip(path, Clip(frames=frames, width=64, height=64))

    def _job(self, job_id: str) -> dict[str, dict[str, int]]:
        return dict(self._service.http.get(f"/jobs/{job_id}", headers=self._a).json())

    def _drop(self, jobs: list[str]) -> None:
        for job_id in jobs:
            self._service.http.delete(f"/jobs/{job_id}", headers=self._a).raise_for_status()


def _row(job: str, others: str, alone: float, beside: float) -> str:
    later = (beside - alone) / (WINDOW * FRAME_S)
    return f"| {job} | {others} | {alone:.1f} s | {beside:.1f} s | {beside / alone:.2f} | {later:.1f} |"


if __name__ == "__main__":
    main()
