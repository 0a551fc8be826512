"""Deblurs a video by the HTTP API: submits it, waits, downloads the result. Needs Python and httpx.

    CDVD_URL=http://127.0.0.1:8080 CDVD_KEY=... python deblur.py shaky.mp4 sharp.mp4 quality=good

What follows the names are options of the job. ``service.client`` does all of this and more, such as uploads that go on
where a connection broke.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

PATIENCE = httpx.Timeout(120, connect=10)


def main(source: str, target: str, *options: str) -> None:
    key = os.environ.get("CDVD_KEY")
    with httpx.Client(
        base_url=os.environ.get("CDVD_URL", "http://127.0.0.1:8080"),
        headers={"Authorization": f"Bearer {key}"} if key else {},
        transport=httpx.HTTPTransport(retries=3),  # where no connection is made
        timeout=PATIENCE,
    ) as http:
        job = submitted(http, Path(source), dict(option.split("=", 1) for option in options))
        ended = waited(http, job)
        if ended["status"] != "succeeded":
            sys.exit(
                f"The job has {ended['status']}: {(ended['error'] or {}).get('detail', 'no reason given')}"
            )
        downloaded(http, job, Path(target))
    for loss in ended["losses"]:
        print(f"Lost: {loss}", file=sys.stderr)


def submitted(http: httpx.Client, path: Path, options: dict[str, str]) -> str:
    """Sends a video; returns the address of its job."""
    again = {"Idempotency-Key": str(uuid.uuid4())}  # sent twice, it still makes one job
    for pause_s in (1, 5, None):
        try:
            with path.open("rb") as file:
                video = {"video": (path.name, file)}
                return str(
                    taken(http.post("/jobs", data=options, files=video, headers=again)).headers["location"]
                )
        except httpx.TransportError:
            if pause_s is None:
                raise
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def waited(http: httpx.Client, job: str) -> dict[str, Any]:
    """Asks as often as the service says that it is worth it; returns the job when it has ended."""
    while True:
        answer = taken(http.get(job))
        state: dict[str, Any] = answer.json()
        if state["status"] not in ("queued", "running"):
            return state
        print(f"{state['status']}, {state['progress']['fraction']:.0%}", file=sys.stderr)
        time.sleep(float(answer.headers.get("retry-after", 1)))


def downloaded(http: httpx.Client, job: str, target: Path) -> None:
    """Writes the result beside its place first, so that half a file is never taken for a whole one."""
    part = target.with_name(target.name + ".part")
    with http.stream("GET", f"{job}/result", follow_redirects=True) as answer, part.open("wb") as file:
        for data in taken(answer).iter_bytes():
            file.write(data)
    part.replace(target)


def taken(answer: httpx.Response) -> httpx.Response:
    """Ends with what the service says is wrong, if it refused."""
    if answer.is_error:
        answer.read()
        is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        sys.exit(f"{answer.status_code}: {answer.json()['detail'] if is_problem else answer.text[:200]}")
    return answer


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} IN OUT [OPTION=VALUE ...]")
    main(*sys.argv[1:])
