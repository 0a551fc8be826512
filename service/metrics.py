"""Defines what the processes count, for Prometheus. Like loggers, metrics are global: any layer may count.

Gateway and worker have a registry each, so that neither shows the other's zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    Summary,
    generate_latest,
    start_http_server,
)

Item = TypeVar("Item")

CONTENT_TYPE = CONTENT_TYPE_LATEST

GATEWAY = CollectorRegistry()
WORKER = CollectorRegistry()

ProcessCollector(registry=GATEWAY)
ProcessCollector(registry=WORKER)

UPLOAD_BYTES = Counter(
    "cdvd_upload_bytes", "Bytes of request bodies received, refused ones included", registry=GATEWAY
)
UPLOADS = Counter(
    "cdvd_uploads", "Uploads by outcome: accepted, or the code of the error", ["outcome"], registry=GATEWAY
)
UPLOAD_SECONDS = Histogram(
    "cdvd_upload_seconds",
    "From the first byte of an upload until it is in storage",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
    registry=GATEWAY,
)

EVENT_LAG = Histogram(
    "cdvd_event_lag_seconds",
    "From the entry of an event in a job's log until it is sent to a client that follows",
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=GATEWAY,
)
PREVIEW_SECONDS = Histogram(
    "cdvd_preview_seconds",
    "Making one picture of a frame, the wait for its turn included",
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30),
    registry=GATEWAY,
)

FRAMES = Counter("cdvd_frames_restored", "Frames restored and encoded", registry=WORKER)
STEPS = Counter(
    "cdvd_steps",
    "Steps of jobs by kind (plan, segment, finish) and outcome (done, failed, postponed, given_back)",
    ["step", "outcome"],
    registry=WORKER,
)
ESTIMATE_RATIO = Histogram(
    "cdvd_estimate_ratio",
    "Seconds that a job took from submission to result, over those estimated when it was submitted",
    buckets=(0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 4),
    registry=WORKER,
)
STAGE_SECONDS = Summary(
    "cdvd_stage_seconds",
    "Busy seconds of a stage (decode: per frame; inference, encode: per window; join: per video; "
    "upload: per piece or result published). The stages of a segment overlap.",
    ["stage"],
    registry=WORKER,
)
ENGINE_SECONDS = Histogram(
    "cdvd_engine_seconds",
    "One window at the engine, the wait for its turn and repeated attempts included",
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2),
    registry=WORKER,
)
TRITON_WINDOWS = Counter(
    "cdvd_triton_windows",
    "Windows sent to a Triton server, by the way there (memory, message) and by outcome: restored, or the error's code",
    ["server", "model", "way", "outcome"],
    registry=WORKER,
)
TRITON_ADMITTED = Gauge(
    "cdvd_triton_admitted",
    "1 while windows of a model go to a Triton server, 0 while it is sick",
    ["server", "model"],
    registry=WORKER,
)


def frames_restored() -> float:
    """Returns how many frames this worker has restored and encoded since it began."""
    return next(sample.value for metric in FRAMES.collect() for sample in metric.samples)


def timed(items: Iterable[Item], stage: str) -> Iterator[Item]:
    """Yields ``items``, and counts the time that each takes to arrive as busy seconds of ``stage``."""
    clock = STAGE_SECONDS.labels(stage)
    iterator = iter(items)
    arrived: list[Item] = []
    while True:
        with clock.time():
            try:
                arrived.append(next(iterator))
            except StopIteration:
                return
        yield arrived.pop()  # a frame that stayed here would stay in memory


def render(*registries: CollectorRegistry) -> bytes:
    """Returns the text that Prometheus reads; its type is ``CONTENT_TYPE``."""
    return b"".join(generate_latest(registry) for registry in registries)


@contextmanager
def served(host: str, port: int | None) -> Iterator[None]:
    """Serves the worker's metrics at ``http://host:port/metrics`` during the block; not at all if ``port`` is None."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, host, WORKER)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
