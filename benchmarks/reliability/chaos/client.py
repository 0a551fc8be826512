"""A client that submits jobs all the time, repeats what was not answered, and fetches results as they come."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import httpx

from benchmarks.reliability.chaos.history import Accepted, Ended

PATIENCE_S = 60.0
"""For one submission, with all its repetitions."""
WAITING = 6
"""Jobs in work at a time."""
ACTIVE = ("queued", "running")


class Client:
    """Submits clips by name until it is stopped; then everything is read once more."""

    def __init__(self, urls: Sequence[str], clips: Mapping[str, Path], seed: int) -> None:
        """``urls``: of the gateways that take submissions; the first one is asked for the rest."""
        self._urls = urls
        self._http = httpx.Client(base_url=urls[0], timeout=20, trust_env=False)
        self._clips = clips
        self._chance = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self._results: dict[str, list[str]] = {}
        self.accepted: list[Accepted] = []
        self.unanswered = 0
        """Submissions that were given up without an answer."""

    def start(self) -> None:
        """Begins to submit."""
        self._thread.start()

    def stop(self) -> None:
        """Submits nothing more."""
        self._stopping.set()
        self._thread.join()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def submit(self, clip: str) -> Accepted | None:
        """Submits a clip under a key of its own until it is answered; None if it is not, or was refused."""
        key, deadline = secrets.token_hex(8), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError, ValueError):
                with self._clips[clip].open("rb") as file:
                    files, headers = {"video": (f"{clip}.mp4", file)}, {"Idempotency-Key": key}
                    answer = self._http.post(
                        f"{self._chance.choice(self._urls)}/jobs", files=files, headers=headers
                    )
                if answer.status_code == 202:
                    return Accepted(str(answer.json()["id"]), clip, key, time.time())
            time.sleep(0.5)
        self.unanswered += 1
        return None

    def ended(self, job_id: str, patience_s: float) -> Ended:
        """Waits for the end of a job, and returns what the service says of it then."""
        deadline = time.monotonic() + patience_s
        while (job := self._job(job_id)) is None or (
            job.get("status") in ACTIVE and time.monotonic() < deadline
        ):
            if time.monotonic() > deadline:
                return Ended("unanswered")
            time.sleep(0.2)
        if "status" not in job or isinstance(job["status"], int):
            return Ended("unknown")
        results = list(self._results.get(job_id, []))
        if job["status"] == "succeeded":
            results.append(self._result(job_id))
        code = job["error"]["code"] if job.get("error") else None
        return Ended(job["status"], code, self._done(job_id), tuple(results))

    def known(self) -> list[str]:
        """Returns the ids of all jobs that the service lists."""
        found: list[str] = []
        cursor = None
        while True:
            page = self._http.get("/jobs", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
            body = page.raise_for_status().json()
            found += [str(job["id"]) for job in body["jobs"]]
            cursor = body.get("next_cursor") or body.get("cursor")
            if not cursor:
                return found

    def _run(self) -> None:
        while not self._stopping.is_set():
            open_jobs = [one.job_id for one in self.accepted[-30:] if self._look(one.job_id) in ACTIVE]
            if len(open_jobs) < WAITING and (one := self.submit(self._chance.choice(list(self._clips)))):
                self.accepted.append(one)
            self._stopping.wait(self._chance.uniform(0.05, 0.5))

    def _look(self, job_id: str) -> str | None:
        """Returns a job's status; fetches its result when it is first seen."""
        if job_id in self._results:
            return "succeeded"
        job = self._job(job_id)
        if job and job.get("status") == "succeeded":
            with suppress(httpx.HTTPError):
                self._results[job_id] = [self._result(job_id)]
        return str(job["status"]) if job else None

    def _job(self, job_id: str) -> dict[str, object] | None:
        """Returns a job or the problem that it is unknown; None while the service does not answer."""
        with suppress(httpx.HTTPError, ValueError):
            answer = self._http.get(f"/jobs/{job_id}")
            if answer.status_code in (200, 404):
                return dict(answer.json())
        return None

    def _result(self, job_id: str) -> str:
        answer = self._http.get(f"/jobs/{job_id}/result").raise_for_status()
        return hashlib.sha256(answer.content).hexdigest()

    def _done(self, job_id: str) -> tuple[str, ...]:
        lines = self._http.get(f"/jobs/{job_id}/events").text.splitlines()
        return tuple(
            str(json.loads(data[6:])["step"])
            for event, data in pairwise(lines)
            if event == "event: step_done"
        )
