"""Puts a gateway of its own under load in a few minutes and prints what became of it: ``make load``.

Uploads at once, listeners at once, and clients that never finish what they send, while one client asks for a job and
another whether the gateway lives. Everything shares this machine's cores with the clients.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.reliability.machine import heading, table
from benchmarks.reliability.running import MODEL, Running, running
from benchmarks.reliability.watching import Watch, watched

PATIENCE_S = 300.0
LISTEN_S = 20.0
JOINING = 200
"""Listeners that come in a second."""
SLOW_S = 15.0
"""Longer than the gateway waits for a header."""
COLUMNS = (
    *("load", "outcome", "GET job p50 / p99, ms", "/livez p99, ms"),
    *("gateway, MiB", "children", "children, MiB", "descriptors"),
)


def main() -> None:
    """Prints the table; ends with status 1 where a load had another outcome than it should."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--uploads", type=int, default=200)
    arguments.add_argument("--listeners", type=int, default=2000)
    arguments.add_argument("--slow", type=int, default=1100, help="headers that are never completed")
    asked = arguments.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as service:
        job_id = _job(service)
        rows, faults = [], []
        for name, load in (
            ("nothing", _idle),
            (f"{asked.uploads} uploads at once", lambda one, _: _uploads(one, asked.uploads)),
            (f"{asked.listeners} listeners", lambda one, job: _listeners(one, job, asked.listeners)),
            (f"{asked.slow} half-sent headers", lambda one, _: _half_headers(one, asked.slow)),
            (f"{asked.slow} stalled bodies", lambda one, _: _stalled_bodies(one, asked.slow)),
        ):
            with watched(service.url, f"/jobs/{job_id}", "/livez") as watch:
                outcome = asyncio.run(load(service, job_id))
            rows.append(_row(name, outcome, watch, f"/jobs/{job_id}"))
            faults += [name] * bool(watch.failures or service.verdict().faults)
    print(heading("python -m benchmarks.reliability.load"))
    print(table(COLUMNS, rows))
    if faults:
        sys.exit(f"requests failed beside: {', '.join(faults)}")


def _row(name: str, outcome: str, watch: Watch, job: str) -> tuple[object, ...]:
    return (
        name,
        outcome,
        f"{watch.ms(job, 0.5):.0f} / {watch.ms(job, 0.99):.0f}",
        f"{watch.ms('/livez', 0.99):.0f}",
        watch.gateway_bytes >> 20,
        watch.children,
        watch.children_bytes >> 20,
        watch.descriptors,
    )


def _job(service: Running) -> str:
    with service.clip.open("rb") as file:
        answer = httpx.post(
            f"{service.url}/jobs", files={"video": file}, data={"model": MODEL}, trust_env=False, timeout=60
        )
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _idle(_service: Running, _job_id: str) -> str:
    await asyncio.sleep(5)
    return "-"


async def _uploads(service: Running, count: int) -> str:
    video = service.clip.read_bytes()
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S, trust_env=False) as client:

        async def upload(_number: int) -> str:
            answer = await client.post(
                f"{service.url}/jobs", files={"video": ("a.mp4", video)}, data={"model": MODEL}
            )
            return str(answer.status_code)

        return await _all(upload, count)


async def _listeners(service: Running, job_id: str, count: int) -> str:
    """Listeners to the events of a job that is over or not; those who are let in should hear of it."""

    async def listen(number: int) -> str:
        await asyncio.sleep(number / JOINING)
        request = f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = await _sent(service, request.encode(), LISTEN_S)
        return f"{_status(answer)} {'with events' if b'event: ' in answer else 'empty'}"

    return await _all(listen, count)


async def _half_headers(service: Running, count: int) -> str:
    async def stall(_number: int) -> str:
        return _status(await _sent(service, b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Half: ", SLOW_S))

    return await _all(stall, count)


async def _stalled_bodies(service: Running, count: int) -> str:
    head = b"POST /estimates HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 99\r\n\r\n{"

    async def stall(_number: int) -> str:
        return _status(await _sent(service, head, 2 * SLOW_S))

    return await _all(stall, count)


async def _all(one: Callable[[int], Awaitable[str]], count: int) -> str:
    outcomes = Counter(await asyncio.gather(*(one(number) for number in range(count))))
    return ", ".join(f"{number} x {name}" for name, number in sorted(outcomes.items()))


async def _sent(service: Running, request: bytes, patience_s: float) -> bytes:
    """Sends a request and returns what comes until the gateway closes, or the patience ends."""
    address, answer = urlsplit(service.url), b""
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
    except OSError:
        return b"HTTP/1.1 not connected"
    with suppress(OSError, TimeoutError):
        writer.write(request)
        async with asyncio.timeout(patience_s):
            while data := await reader.read(65536):
                answer += data
                if answer.endswith(b"0\r\n\r\n"):
                    break
    writer.close()
    return answer


def _status(answer: bytes) -> str:
    return answer[9:12].decode() or "no answer"


if __name__ == "__main__":
    main()
