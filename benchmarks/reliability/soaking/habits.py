"""What clients do with a service, over and over."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import httpx

from benchmarks.reliability.running import Running

PATIENCE_S = 120.0
REST_S = 0.3
"""Between two things that a client does: some a second keep a service busy and a machine usable."""


class Habits:
    """Does things to one service, and counts them. Each habit runs in a thread of its own."""

    def __init__(self, service: Running) -> None:
        self.done: Counter[str] = Counter()
        self._video = service.clip.read_bytes()
        self._http = httpx.Client(base_url=service.url, timeout=PATIENCE_S, trust_env=False)

    def work(self, habit: Habit, over: threading.Event) -> None:
        """Follows a habit until ``over``; what fails counts as well, and does not end it."""
        while not over.is_set():
            try:
                self.done[habit(self)] += 1
            except httpx.HTTPStatusError as error:
                self.done[f"refused with {error.response.status_code} ({habit.__name__})"] += 1
            except httpx.HTTPError as error:
                self.done[f"failed ({type(error).__name__})"] += 1
            over.wait(REST_S)

    def fetch(self) -> str:
        """Submits a video, watches it to its end, and fetches all there is."""
        job = self._submit()
        with self._http.stream("GET", f"/jobs/{job}/events") as events:
            for _ in events.iter_lines():
                pass
        for path in ("", "/result", "/report", "/frames", "/sharpness", "/frames/2/before.jpg"):
            self._http.get(f"/jobs/{job}{path}")
        return "submitted and fetched"

    def give_up(self) -> str:
        """Submits a video, listens for a moment, cancels it and deletes it."""
        job = self._submit()
        with self._http.stream("GET", f"/jobs/{job}/events") as events:
            next(events.iter_lines(), None)
        self._http.post(f"/jobs/{job}/cancel")
        self._http.delete(f"/jobs/{job}").raise_for_status()
        return "canceled and deleted"

    def send_in_pieces(self) -> str:
        """Sends a video in two pieces, and makes a job of it."""
        upload, half = self._upload(), len(self._video) // 2
        self._append(upload, 0, self._video[:half])
        self._append(upload, half, self._video[half:])
        self._http.post("/jobs", files={"upload": (None, upload.rpartition("/")[2])}).raise_for_status()
        return "sent in pieces"

    def break_off(self) -> str:
        """Begins an upload and terminates it; sends what is no video; asks for what is not there."""
        upload = self._upload()
        self._append(upload, 0, self._video[:100])
        self._http.delete(upload, headers={"Tus-Resumable": "1.0.0"})
        self._http.post("/jobs", files={"video": ("no.mp4", b"no video")})
        self._http.get("/jobs/nothing")
        return "broken off or refused"

    def look(self) -> str:
        """Lists jobs, asks for an estimate and for the state of the service."""
        self._http.get("/jobs?limit=50")
        self._http.post("/estimates", json={"width": 640, "height": 360, "frames": 100})
        for path in ("/readyz", "/metrics", "/version"):
            self._http.get(path)
        return "looked"

    def _submit(self) -> str:
        answer = self._http.post("/jobs", files={"video": ("clip.mp4", self._video)})
        return str(answer.raise_for_status().json()["id"])

    def _upload(self) -> str:
        length = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(self._video))}
        return str(self._http.post("/uploads", headers=length).raise_for_status().headers["location"])

    def _append(self, upload: str, offset: int, data: bytes) -> None:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        self._http.patch(upload, headers=headers, content=data).raise_for_status()


Habit = Callable[[Habits], str]
HABITS: tuple[Habit, ...] = (
    Habits.fetch,
    Habits.give_up,
    Habits.send_in_pieces,
    Habits.break_off,
    Habits.look,
)
