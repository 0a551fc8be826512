"""Measures what each part of the service carries on this machine, and which is full first.

``python -m benchmarks.capacity`` runs the real service, embedded, for about a minute: uploads, polls, jobs of a network
that changes nothing (what is left is the cost of segments, decoding and coding) and jobs of the shipped model on the
CPU. Everything shares this machine's cores, so the figures of one part are lower bounds. The figure for a GPU is not
measured: it is given.
"""

from __future__ import annotations

import argparse
import http.client
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import numpy as np

from benchmarks.capacity_table import Measurements, report
from benchmarks.clip import write_clip
from service.client import Client
from service.config import default_models
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.redis_state.connection import connect
from tests.support.models import write_model

IDENTITY = "identity"
"""Name of a model that returns its frames: a job of it costs everything but the network."""
UPLOAD_BYTES = 256 << 20
POLLS, POLLERS = 2000, 4
"""Questions for a job in all, and the clients that ask at the same time."""
PIPELINE = 1000
"""Commands that are sent to Redis before its answers are read."""
SHORT_SEGMENT = 2
"""Frames of segments that hold next to nothing, so that they cost their overhead."""
RATE = 25
"""Frames per second of the clips."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpu-fps", type=float, default=60.0, help="720p frames/s assumed of a GPU node")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(report(measure(Path(directory)), options.gpu_fps))


def measure(directory: Path) -> Measurements:
    """Runs everything in about a minute on two idle cores, with files in ``directory``."""
    load = os.getloadavg()[0]
    models = directory / "models"
    models.mkdir()
    (models / "cdvd_lite").symlink_to(default_models() / "cdvd_lite")
    write_model(models, IDENTITY)
    small = _clip(directory / "small.mp4", frames=48, height=64, width=64)
    hd = _clip(directory / "hd.mp4", frames=96, height=720, width=1280)
    medium = _clip(directory / "medium.mp4", frames=24, height=360, width=640)
    with _service(directory / "one", models, SHORT_SEGMENT) as (url, redis_url):
        upload, polls = _upload_rate(url), _poll_rate(url, _run(url, small, IDENTITY)[0])
        segment_s, commands = _segments(url, redis_url, small)
        idle, ceiling, job_bytes = _idle_commands(redis_url), _ceiling(redis_url), _job_bytes(redis_url)
    with _service(directory / "two", models, 64) as (url, _):
        _run(url, small, "cdvd_lite")  # loads the model
        hd_s, model_s = _run(url, hd, IDENTITY)[1], _run(url, medium, "cdvd_lite")[1]
    return Measurements(
        cores=os.cpu_count() or 1,
        others_load=load,
        upload_bytes_per_s=upload,
        polls_per_s=polls,
        redis_commands_per_s=ceiling,
        redis_commands_per_segment=commands,
        redis_commands_idle=idle,
        redis_bytes_per_job=job_bytes,
        segment_overhead_s=segment_s,
        coding_fps_720p=96 / hd_s,
        model_fps_360p=24 / model_s,
    )


@contextmanager
def _service(data: Path, models: Path, segment_frames: int) -> Iterator[tuple[str, str]]:
    """Runs a service; yields its address and that of its Redis."""
    options = EmbeddedOptions(data=data, models=models, model=IDENTITY)
    settings = {"CDVD_SEGMENT_FRAMES": str(segment_frames)}
    with patch.dict(os.environ, settings), EmbeddedStack(options) as stack:
        yield stack.url, f"unix://{data.resolve()}/run/redis.sock?db=0"


def _clip(path: Path, frames: int, height: int, width: int) -> Path:
    """Writes smooth moving shades, which cost a decoder and an encoder about what a calm video does."""
    down, right = np.mgrid[0:height, 0:width].astype(np.float32)
    shades = [np.sin((down + 3 * time) / 23) * np.cos((right - 5 * time) / 31) for time in range(frames)]
    images = ((np.stack(shades) + 1) * 127).astype(np.uint8)
    write_clip(path, np.repeat(images[..., None], 3, axis=3), RATE, crf=18)
    return path


def _run(url: str, clip: Path, model: str) -> tuple[str, float]:
    """Runs a job; returns its id, and the seconds from its first step to its end."""
    with Client(url) as client:
        job = client.wait(client.submit(clip, options={"model": model}).id)
        assert job.status == "succeeded", job.error
    times = httpx.get(f"{url}/jobs/{job.id}", trust_env=False).json()
    return job.id, _seconds(times["finished_at"]) - _seconds(times["started_at"])


def _upload_rate(url: str) -> float:
    """Measures the bytes per second of an upload that is received whole, hashed, stored and then refused."""
    form = {"video": ("noise.mp4", os.urandom(1 << 20) * (UPLOAD_BYTES >> 20))}
    start = time.monotonic()
    answer = httpx.post(f"{url}/jobs", files=form, timeout=120, trust_env=False)
    assert answer.json()["code"] == "not_a_video", answer.text
    return UPLOAD_BYTES / (time.monotonic() - start)


def _poll_rate(url: str, job_id: str) -> float:
    """Measures the questions for a job that are answered per second."""
    address = urlsplit(url)

    def poll(times: int) -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        for _ in range(times):
            connection.request("GET", f"/jobs/{job_id}")
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
        connection.close()

    start = time.monotonic()
    with ThreadPoolExecutor(POLLERS) as pool:
        list(pool.map(poll, [POLLS // POLLERS] * POLLERS))
    return POLLS / (time.monotonic() - start)


def _segments(url: str, redis_url: str, clip: Path) -> tuple[float, float]:
    """Measures seconds and Redis commands per segment by a job whose segments hold next to nothing."""
    before = _commands(redis_url)
    _, seconds = _run(url, clip, IDENTITY)
    count = 48 // SHORT_SEGMENT
    return seconds / count, (_commands(redis_url) - before) / count


def _idle_commands(redis_url: str, seconds: float = 3.0) -> float:
    """Measures the commands per second that a waiting worker sends to Redis."""
    before = _commands(redis_url)
    time.sleep(seconds)
    return (_commands(redis_url) - before) / seconds


def _ceiling(redis_url: str) -> float:
    """Measures the small writes per second that this Redis takes from one client that does not wait for each."""
    with connect(redis_url) as client:
        start = time.monotonic()
        for _ in range(20):
            with client.pipeline(transaction=False) as pipe:
                for number in range(PIPELINE):
                    pipe.hincrby("cdvd:benchmark", str(number % 10), 1)
                pipe.execute()
        client.delete("cdvd:benchmark")
        return 20 * PIPELINE / (time.monotonic() - start)


def _job_bytes(redis_url: str) -> float:
    """Measures the memory of a finished job's keys, in bytes."""
    with connect(redis_url) as client:
        names = list(client.scan_iter("cdvd:job:*"))
        jobs = {str(name).split(":")[2] for name in names}
        return sum(client.memory_usage(str(name), samples=0) or 0 for name in names) / len(jobs)


def _commands(redis_url: str) -> int:
    with connect(redis_url) as client:
        return int(client.info("stats")["total_commands_processed"])


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


if __name__ == "__main__":
    main()
