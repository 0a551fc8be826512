"""Reads from Redis how much there is to do, when Prometheus asks: true however many gateways there are."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.errors.broker import BrokerUnavailable
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry


class _LoadCollector(Collector):
    def __init__(self, queue: JobQueue, store: RedisJobStore, workers: WorkerRegistry) -> None:
        self._queue = queue
        self._store = store
        self._workers = workers

    def describe(self) -> list[Metric]:
        return []  # or registering would ask Redis

    def collect(self) -> Iterator[Metric]:
        """Yields all of the load, or only that Redis does not answer."""
        try:
            found = [*self._queues(), *self._jobs(), *self._live()]
        except BrokerUnavailable:
            found = []
        yield GaugeMetricFamily("cdvd_broker_up", "Whether Redis answers", float(bool(found)))
        yield from found

    def _queues(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "cdvd_queue_depth", "Messages that no worker has taken yet", labels=["queue"]
        )
        for name, messages in self._queue.depth().items():
            depth.add_metric([name], messages)
        yield depth

    def _jobs(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("cdvd_jobs", "Jobs on record by status", labels=["status"])
        for status, count in self._store.counts().items():
            jobs.add_metric([status.value], count)
        yield jobs

    def _live(self) -> Iterator[Metric]:
        alive = self._workers.alive()
        running = sum(worker.running for worker in alive)
        yield GaugeMetricFamily("cdvd_workers", "Workers with a heartbeat", len(alive))
        yield GaugeMetricFamily("cdvd_steps_running", "Steps in work, by the workers' heartbeats", running)


def load_registry(queue: JobQueue, store: RedisJobStore, workers: WorkerRegistry) -> CollectorRegistry:
    """Makes a registry whose gauges are read from Redis at every scrape; without Redis only ``cdvd_broker_up 0``."""
    registry = CollectorRegistry()
    registry.register(_LoadCollector(queue, store, workers))
    return registry
