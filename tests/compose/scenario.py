"""What happens to the stack, in order. Every step asserts what it writes down."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.compose.compare import compare
from tests.compose.engine import Stack, image_bytes, until
from tests.compose.gate_control import GateControl
from tests.compose.journal import Journal

WORKERS = 3
MODEL = "cdvd_lite"
"""Named, as the default depends on the engine."""
SCRAPE = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
WRITE_ROOT = "import os; print(os.getuid(), os.access('/', os.W_OK), os.access('/opt', os.W_OK))"
CALL_OUT = (
    "import socket\n"
    "try: socket.create_connection(('1.1.1.1', 53), 3); print('out')\n"
    "except OSError: print('shut in')"
)
LEAST_PSNR = 50.0
"""Between the results of two machines: codes of H.264 apart by rounding, far below what anybody sees."""


@dataclass(frozen=True)
class Clip:
    """A video to send, and what the embedded service makes of it."""

    sent: Path
    expected: Path
    frames: int
    segments: int


class Scenario:
    """Brings a stack up, mistreats it in the middle of a job, and looks at the result."""

    def __init__(self, stack: Stack, clip: Clip, folder: Path, journal: Journal) -> None:
        self._stack = stack
        self._gate = GateControl(stack)
        self._clip = clip
        self._folder = folder
        self._note = journal.add

    def run(self) -> None:
        """Raises AssertionError or CalledProcessError where the stack does not do what it should."""
        self._build()
        self._start()
        self._check_walls()
        quiet = self._undisturbed()
        self._check_result(self._disturbed(), quiet)
        self._check_figures()
        self._stop_a_worker()

    def _build(self) -> None:
        self._stack.compose("build", timeout_s=3600)
        sizes = [f"{name} {image_bytes(f'cdvd-{name}') / 1e6:.0f} MB" for name in ("gateway", "worker")]
        self._note("`build`", ", ".join(sizes))

    def _start(self) -> None:
        self._stack.compose("up", "--detach", "--wait", "--wait-timeout", "300")
        ready = json.loads(until(lambda: self._stack.curl("/readyz"), "ready"))
        engines = {worker["engine"] for worker in ready["workers"]}
        assert engines == {"triton"}, engines
        self._note("`up --wait`, then `curl /readyz`", f"ready; {len(ready['workers'])} worker on triton")

    def _check_walls(self) -> None:
        for service in ("gateway", "worker", "triton"):
            seen = self._stack.inside(self._id(service), WRITE_ROOT).split()
            assert seen == ["10001", "False", "False"], (service, seen)
        assert self._stack.inside(self._id("triton"), CALL_OUT).strip() == "shut in"
        published = [
            service
            for service in ("redis", "triton", "worker")
            if any(self._stack.containers(service)[0]["NetworkSettings"]["Ports"].values())
        ]
        assert published == []
        self._note(
            "look into the containers",
            "user 10001, file systems read-only, no way out for Triton, only the gateway has a port",
        )

    def _undisturbed(self) -> Path:
        self._gate.release()
        job_id = self._submit()
        job = self._finished(job_id)
        took = _seconds(job)
        self._note(f"a job of {self._clip.frames} frames by curl, left alone", f"succeeded in {took:.0f} s")
        return self._download(job_id, "quiet.mp4")

    def _disturbed(self) -> Path:
        self._gate.hold()
        job_id = self._submit()
        self._note("the same job again", f"job {job_id[-6:]}, {self._clip.segments} segments")
        self._kill(job_id, "worker", 0.1)
        self._kill(job_id, "triton", 0.3)
        self._scale(job_id)
        self._restart_redis(job_id)
        self._gate.release()
        job = self._finished(job_id)
        self._note_steps(job_id, _seconds(job))
        return self._download(job_id, "disturbed.mp4")

    def _kill(self, job_id: str, service: str, fraction: float) -> None:
        done = self._until_fraction(job_id, fraction)
        self._gate.let(1)  # one window, for it to be in the middle of; a fast engine may be done with it
        killed = self._stack.kill(service)

        def back() -> bool:
            (one,) = [one for one in self._stack.containers(service) if one["Id"] == killed]
            return bool(one["RestartCount"] >= 1 and one["State"]["Health"]["Status"] == "healthy")

        until(back, f"{service} is back")
        self._note(
            f"SIGKILL for the {service}'s process at frame {done}", "the engine started it again; healthy"
        )

    def _scale(self, job_id: str) -> None:
        self._stack.compose("up", "--detach", "--no-recreate", "--scale", f"worker={WORKERS}", "worker")
        until(lambda: len(self._ready()["workers"]) == WORKERS, f"{WORKERS} workers")
        self._gate.until_waiting(WORKERS)  # each has a segment
        done = self._job(job_id)["progress"]["frames_done"]
        self._note(f"`--scale worker={WORKERS}`", f"/readyz lists {WORKERS} workers; {done} frames are done")

    def _restart_redis(self, job_id: str) -> None:
        done = self._until_fraction(job_id, 0.6)
        self._stack.compose("restart", "redis")
        until(self._ready, "ready after the restart")
        assert self._job(job_id)["progress"]["frames_done"] >= done
        self._note(f"`restart redis` at frame {done}", "ready again; the job is still known")

    def _note_steps(self, job_id: str, took: float) -> None:
        events = _events(self._stack.curl(f"/jobs/{job_id}/events"))
        begun = Counter(data["step"] for kind, data in events if kind == "step_started")
        ended = Counter(data["step"] for kind, data in events if kind == "step_done")
        segments = [f"segment:{index}" for index in range(self._clip.segments)]
        assert [ended[step] for step in segments] == [1] * len(segments), ended
        again = sum(begun[step] - 1 for step in segments)
        self._note(
            "wait for the job", f"succeeded in {took:.0f} s; each segment finished once, {again} begun again"
        )

    def _check_result(self, disturbed: Path, quiet: Path) -> None:
        found = compare(disturbed, self._clip.expected, self._clip.sent)
        assert found.whole, found
        assert found.worst_psnr >= LEAST_PSNR, found
        self._note(
            "compare with the embedded service's result",
            f"{found.frames} of {found.expected_frames} frames, all times and sound packets equal; worst frame "
            f"{found.worst_psnr:.1f} dB{', same bytes' if found.same_file else ''}",
        )
        same = disturbed.read_bytes() == quiet.read_bytes()
        assert same, compare(disturbed, quiet, self._clip.sent)
        self._note("compare with the undisturbed job's result", "same bytes")

    def _check_figures(self) -> None:
        figures = _figures(self._stack.curl("/metrics"))
        assert figures['cdvd_jobs{status="succeeded"}'] == 2
        assert figures["cdvd_workers"] == WORKERS
        restored = [
            _figures(self._stack.inside(one["Id"], SCRAPE)).get("cdvd_frames_restored_total", 0.0)
            for one in self._stack.containers("worker")
        ]
        assert sum(frames > 0 for frames in restored) >= 2, restored
        shares = ", ".join(f"{frames:.0f}" for frames in restored)
        self._note("`curl /metrics`, and the workers' own", f"2 jobs succeeded; frames by worker: {shares}")

    def _stop_a_worker(self) -> None:
        self._gate.hold()
        job_id = self._submit()
        self._gate.until_waiting(WORKERS)
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(self._stack.compose, "stop", "worker")
            until(lambda: self._stack.stops("worker") >= WORKERS, "the workers are told to stop")
            self._gate.release()
            stopping.result()
        codes = {one["State"]["ExitCode"] for one in self._stack.containers("worker")}
        assert codes == {0}, codes
        frames = self._clip.frames / self._clip.segments
        done = self._job(job_id)["progress"]["frames_done"]
        assert done % frames == 0, done
        assert 0 < done < self._clip.frames, done
        self._note(
            "`stop worker` in the middle of a job", f"exit code 0, segments ended first: {done} frames done"
        )

    def _submit(self) -> str:
        form = ("--form", f"model={MODEL}", "--form", f"video=@{self._clip.sent}")
        return str(json.loads(self._stack.curl("/jobs", *form))["id"])

    def _job(self, job_id: str) -> dict[str, Any]:
        return dict(json.loads(until(lambda: self._stack.curl(f"/jobs/{job_id}"), "the job", 60)))

    def _ready(self) -> dict[str, Any]:
        return dict(json.loads(self._stack.curl("/readyz")))

    def _id(self, service: str) -> str:
        return str(self._stack.containers(service)[0]["Id"])

    def _until_fraction(self, job_id: str, fraction: float) -> int:
        """Let the job get so far and no further; the frames that are done then.

        A window that passed may be lost with its worker: then another passes for it.
        """
        wanted = round(fraction * self._clip.frames)
        seen = -1

        def reached() -> int:
            nonlocal seen
            done, before = int(self._active(job_id)["progress"]["frames_done"]), seen
            seen = done
            if done < wanted and done == before and self._gate.is_holding():
                self._gate.let(wanted - done)
            return done if done >= wanted else 0

        return int(until(reached, f"{wanted} frames"))

    def _finished(self, job_id: str) -> dict[str, Any]:
        return dict(until(lambda: _if_over(self._job(job_id)), "the job is over", 900))

    def _active(self, job_id: str) -> dict[str, Any]:
        """The job, which must not be over: what was to happen in its middle would happen after it."""
        job = self._job(job_id)
        assert job["status"] in ("queued", "running"), job
        return job

    def _download(self, job_id: str, name: str) -> Path:
        path = self._folder / name
        self._stack.curl(f"/jobs/{job_id}/result", "--output", str(path))
        return path


def _if_over(job: dict[str, Any]) -> dict[str, Any] | None:
    assert job["status"] in ("queued", "running", "succeeded"), job
    return job if job["status"] == "succeeded" else None


def _seconds(job: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Server-sent events as (type, data)."""
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", text, re.MULTILINE)
    return [(kind, json.loads(data)) for kind, data in found]


def _figures(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
