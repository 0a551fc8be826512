"""The worker's composition root: settings in, a Celery worker process out.

Tasks run in threads of one process. That keeps one engine for all of them, needs no fork (which breaks ONNX
Runtime, gRPC and CUDA), and makes a crash complete: the process is gone, its claims expire, and others go on.
Threads have no time limit, so a watchdog ends a worker whose task hangs.
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down

from service.config import Settings
from service.errors.base import ServiceError
from service.estimates.throughput import Throughput
from service.jobs.queue import QUEUES, JobQueue, create_celery
from service.jobs.reconcile import Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry, WorkerState
from service.local.data_version import open_data_directory
from service.logs import configure_logging
from service.memory.machine import worker_memory
from service.metrics import served
from service.redis_state.connection import connect
from service.storage.open import open_storage
from service.tracing import configure_tracing
from service.video.frame_limit import limit_frames
from service.worker import transport
from service.worker.chores.background import BackgroundThread, stop_all
from service.worker.chores.open import open_chores
from service.worker.default_model import load_default_model
from service.worker.engine_loader import engine_loader, parts_loader
from service.worker.engines import EngineCache
from service.worker.express_lane import LOOK_S, ExpressLane
from service.worker.heartbeat import Heartbeat
from service.worker.memory.planner import MemoryPlanner
from service.worker.right_of_way import RightOfWay
from service.worker.runner import StepRunner
from service.worker.runtime.choice import settled
from service.worker.steps.finish import FinishStep
from service.worker.steps.plan import PlanStep
from service.worker.steps.restore import RestoreStep
from service.worker.tasks import JobSteps, NextSteps, register
from service.worker.throughput_recorder import ThroughputRecorder
from service.worker.watchdog import EXIT_TRY_AGAIN, Watchdog

CHORES_END_S = 5.0
"""Seconds for all chores to leave what they do to another worker."""
LANE_ENDS_S = 10.0
"""Seconds for the step in the express lane to end when the worker stops; it is asked to at its next window."""


def main(device: str | None = None) -> None:
    """Works until told to stop. ``device`` replaces ``CDVD_DEVICE``."""
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder then prints errors only
    settings = Settings() if device is None else Settings(device=device)
    configure_logging(settings.log_format, settings.log_level)
    configure_tracing("cdvd-worker")
    _open_data(settings)
    settings = settled(settings)
    limit_frames(settings.max_frame_pixels)
    app, engines, heartbeat, lane = build(settings)
    _stop_on_signal(heartbeat, settings.drain_s)
    load_default_model(engines, settings.model, heartbeat.stopping, heartbeat.last_words)
    heartbeat.start()
    chores = open_chores(settings, heartbeat.stopping)
    for chore in chores:
        chore.start()
    lane.start()
    try:
        with served(settings.metrics_host, settings.metrics_port):
            app.worker_main(_arguments(settings))
    finally:
        lane.stop(LANE_ENDS_S)
        heartbeat.stopping.set()  # Transfers and exports end, too.
        stop_all(chores, CHORES_END_S)
        heartbeat.stop()
        engines.close()


def _open_data(settings: Settings) -> None:
    """With an object store this machine's directory holds copies alone, which may be of any release."""
    try:
        if settings.storage == "filesystem":
            open_data_directory(settings.data)
    except ServiceError as error:
        raise SystemExit(f"cdvd: {error}") from error


def build(settings: Settings) -> tuple[Celery, EngineCache, Heartbeat, BackgroundThread]:
    """Puts the worker together; nothing runs yet."""
    transport.install()
    client = connect(settings.broker)
    app = create_celery(settings.broker)
    _configure(app)
    store, turns = RedisJobStore(client, settings.retention_s), Turns(client, settings.tenant_weights)
    queue, way = JobQueue(app, client, turns), RightOfWay()
    owner = f"{settings.worker_name}/{secrets.token_hex(8)}"
    leases = StepLeases(client, owner, settings.claim_ttl_s)
    engines = EngineCache(settings.models, engine_loader(settings, _end), parts_loader(settings))
    memory = None if settings.engine == "triton" else worker_memory(settings.memory_limit)
    workers = WorkerRegistry(client)
    watchdog = Watchdog(settings.stall_timeout_s)
    heartbeat = Heartbeat(
        leases,
        Reconciler(store, leases, queue),
        workers,
        watchdog,
        lambda running: _describe(settings, engines, running, memory),
    )
    storage = open_storage(settings.storage_options())
    recorder = ThroughputRecorder(
        Throughput(client), lambda model: _describe(settings, engines, 0, None).runtime(model)
    )
    limits, stopping = settings.window_limits(), heartbeat.stopping
    planner = MemoryPlanner(leases, engines, workers, limits, memory)
    steps = JobSteps(
        PlanStep(leases, queue, limits.segment_frames, planner),
        RestoreStep(store, leases, queue, storage, engines, recorder, planner, way, stopping),
        FinishStep(store, leases, storage, engines, recorder, limits, settings.engine),
    )
    runner = StepRunner(store, leases, queue, watchdog, stopping)
    next_steps = NextSteps(
        turns, runner, steps, stopping, lambda: workers.is_draining(settings.worker_name), queue
    )
    register(app, next_steps)
    lane = ExpressLane(next_steps, way, stopping, watchdog.steps, settings.worker_concurrency)
    return app, engines, heartbeat, BackgroundThread("express lane", lane.step, LOOK_S)


def _configure(app: Celery) -> None:
    app.conf.update(
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        broker_channel_error_retry=True,  # a Redis without room refuses changes; the worker then waits for some
        worker_cancel_long_running_tasks_on_connection_loss=False,  # claims decide who may go on
        task_acks_on_failure_or_timeout=True,
    )


def _arguments(settings: Settings) -> list[str]:
    return [
        "--quiet",
        "worker",
        "--pool=threads",
        f"--concurrency={settings.worker_concurrency}",
        f"--queues={','.join(QUEUES)}",
        f"--hostname=cdvd@{settings.worker_name}",
        f"--loglevel={settings.log_level}",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]


def _stop_on_signal(heartbeat: Heartbeat, drain_s: float) -> None:
    """Lets a signal end the work at the next window, or after ``drain_s`` seconds; the handler only sets a flag."""

    def on_shutdown(**_: Any) -> None:
        heartbeat.drain(drain_s)

    worker_shutting_down.connect(on_shutdown, weak=False)


def _end(reason: str) -> None:
    """Ends the process, from whichever thread, to be started again: another process may find the device in order."""
    logging.getLogger(__name__).critical("The device is lost, and this worker ends: %s", reason)
    logging.shutdown()
    os._exit(EXIT_TRY_AGAIN)


def _describe(settings: Settings, engines: EngineCache, running: int, memory: int | None) -> WorkerState:
    return WorkerState(
        settings.worker_name,
        settings.engine,
        engines.loaded,
        engines.available(),
        running,
        settings.worker_concurrency,
        engines.placements(),
        memory=None if engines.accelerated else memory,
    )
