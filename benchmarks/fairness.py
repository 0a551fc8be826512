"""Measures how long a small job waits for large ones: ``python -m benchmarks.fairness``, in about four minutes.

The real service runs, embedded, with one worker: first with an engine that sleeps a fixed time per frame, one window at
a time, as a device would that is always busy; then with the shipped network on the processor, where a window waits for
the one that is computed. Each job is measured alone first, then beside the others.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Lock

import httpx

from service.embedded import EmbeddedOptions
from service.inference.engine import Frames, Stopped, never
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing
from tests.support.api_keys import new_key, redis_url, submitted, until_ended
from tests.support.clips import Clip, write_clip
from tests.support.fake_engines import IdentityEngine
from tests.support.paced_triton import paced_triton
from tests.support.stack import PATIENCE_S, QUICK, Service, running_stack, started_stack, until

FRAME_S = 0.05
"""Seconds that the engine takes for a frame: so long that the service's own work hardly counts."""
WINDOW = 12
"""Frames of a window of small clips."""
MANY = 50
SIZE = 64
"""Pixels of a side of the clips for the engine that sleeps."""
PROCESSOR_SIZE = 112
"""For the network: a window then takes about as long as with the engine that sleeps."""
REPEATED = 3
"""Times that a short job is measured on the processor; the median counts."""


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
    parser.add_argument("--engine", choices=("sleeping", "processor"), help="only one of the two")
    options = parser.parse_args()
    kinds = {"sleeping": lambda where: sleeping(where, options.jobs), "processor": processor}
    for kind, measure in kinds.items():
        if options.engine in (None, kind):
            with tempfile.TemporaryDirectory() as directory:
                print(measure(Path(directory)), end="\n\n")


def sleeping(directory: Path, jobs: int) -> str:
    """Returns the table of an engine that sleeps."""
    with paced_triton({QUICK: SleepingEngine()}, {}) as server:
        settings = {**server.settings(), "CDVD_WINDOWS_IN_FLIGHT": "2"}
        with running_stack(directory, settings) as service, connect(redis_url(service)) as client:
            tenants = _Tenants(service, KeyRing(client), directory, SIZE, QUICK)
            alone = [tenants.alone(48), tenants.alone(24)]
            rows = [
                tenants.beside_many(jobs, alone[0]),
                tenants.beside_long(24, alone[1], WINDOW * FRAME_S),
            ]
    return _table(f"a window of {WINDOW} frames takes {WINDOW * FRAME_S:g} s", rows)


def processor(directory: Path) -> str:
    """Returns the table of the shipped network on this machine's processor."""
    options = EmbeddedOptions(data=directory / "data", engine="onnx", start_timeout_s=PATIENCE_S)
    with (
        started_stack(options, {}) as stack,
        httpx.Client(base_url=stack.url, timeout=PATIENCE_S, trust_env=False) as http,
    ):
        service = Service(http, options.data)
        with connect(redis_url(service)) as client:
            tenants = _Tenants(service, KeyRing(client), directory, PROCESSOR_SIZE, options.model)
            alone = {frames: tenants.alone(frames) for frames in (12, 24, 120)}
            window = (alone[120] - alone[12]) / 9
            rows = [tenants.beside_long(frames, alone[frames], window) for frames in (12, 24)]
    return _table(
        f"a window of {WINDOW} frames takes {window:.2f} s of {options.model} on the processor", rows
    )


def _table(what: str, rows: list[str]) -> str:
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}; one worker, "
    return "\n".join(
        [
            f"{head}{what}.",
            "",
            "| job | beside | alone | beside the others | ratio | windows later |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


class _Tenants:
    """Tenants A and B, and what their jobs take."""

    def __init__(self, service: Service, ring: KeyRing, directory: Path, size: int, model: str) -> None:
        """``size``: pixels of a side of the clips."""
        self._service = service
        self._model = model
        self._size = size
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
        others = [self._submitted(clip, self._a) for _ in range(jobs)]
        beside = self._time(clip, self._b)
        self._drop(others)
        return _row("B's one of 48 frames", f"A's {jobs} of 48 frames", alone, beside, WINDOW * FRAME_S)

    def beside_long(self, frames: int, alone: float, window_s: float) -> str:
        """Measures a short job beside a long one of the same tenant; returns a row."""
        other = self._submitted(self._clip(480), self._a)
        until(lambda: self._job(other)["progress"]["frames_done"], "the long job is in work")
        beside = median(self._time(self._clip(frames), self._a) for _ in range(REPEATED))
        self._drop([other])
        return _row(f"{frames} frames", "480 frames of the same tenant", alone, beside, window_s)

    def _time(self, clip: Path, key: dict[str, str]) -> float:
        """Returns the seconds from the submission of a job to its end, by the clock of the service."""
        job = until_ended(self._service, self._submitted(clip, key), key)
        if job["status"] != "succeeded":
            raise SystemExit(f"A job has {job['status']}: {job['error']}")
        created, finished = (datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
        return (finished - created).total_seconds()

    def _submitted(self, clip: Path, key: dict[str, str]) -> str:
        return submitted(self._service, clip, key, self._model)

    def _clip(self, frames: int) -> Path:
        path = self._directory / f"{frames}.mp4"
        return (
            path
            if path.exists()
            else write_clip(path, Clip(frames=frames, width=self._size, height=self._size))
        )

    def _job(self, job_id: str) -> dict[str, dict[str, int]]:
        return dict(self._service.http.get(f"/jobs/{job_id}", headers=self._a).json())

    def _drop(self, jobs: list[str]) -> None:
        for job_id in jobs:
            self._service.http.delete(f"/jobs/{job_id}", headers=self._a).raise_for_status()


def _row(job: str, others: str, alone: float, beside: float, window_s: float) -> str:
    later = (beside - alone) / window_s
    return f"| {job} | {others} | {alone:.1f} s | {beside:.1f} s | {beside / alone:.2f} | {later:.1f} |"


if __name__ == "__main__":
    main()
