"""The worker's composition root: settings in, a Celery worker process out.

Tasks run in threads of one process. That keeps one engine for all of them, needs no fork (which breaks ONNX
Runtime, gRPC and CUDA), and makes a crash whole: the process is gone, its claims expire, others go on.
Threads have no time limit, so the keeper ends a worker whose task hangs.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from typing import Any, NoReturn

from celery import Celery
from celery.signals import worker_shutting_down

from service.config import Settings
from service.errors.base import ServiceError
from service.errors.engine import EngineUnavailable, PrecisionTooLow
from service.estimates.throughput import Throughput
from service.jobs.queue import QUEUES, JobQueue, create_celery
from service.jobs.reconcile import Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry, WorkerState
from service.local.data_version import open_data_directory
from service.logs import configure_logging
from service.metrics import served
from service.redis_state import key_names
from service.redis_state.connection import connect
from service.redis_state.due import DueList
from service.storage.open import open_storage
from service.tracing import configure_tracing
from service.webhooks.deliveries import DeliveryStore
from service.webhooks.post import WebhookClient
from service.webhooks.sender import RetryPlan, WebhookSender
from service.worker import transport
from service.worker.background import Background
from service.worker.choose import choose
from service.worker.engines import EngineCache
from service.worker.keeper import Keeper, KeeperTimes
from service.worker.measured import Measured
from service.worker.partial import PartialResults
from service.worker.retention import DueJobs, Retention
from service.worker.runner import StepRunner
from service.worker.steps import Steps
from service.worker.tasks import register

log = logging.getLogger(__name__)

LOAD_AGAIN_S = 5.0
"""Pause between attempts to load the default model while its engine is away."""


def main() -> None:
    """Work until told to stop: ``python -m service.worker``."""
    settings = Settings()
    configure_logging(settings.log_format, settings.log_level)
    configure_tracing("cdvd-worker")
    _open_data(settings)
    app, engines, keeper = build(settings)
    _announce(keeper, settings.drain_s)
    _load_default(engines, settings.model, keeper.stopping)
    keeper.start()
    chores = _chores(settings)
    for chore in chores:
        chore.start()
    try:
        with served(settings.metrics_host, settings.metrics_port):
            app.worker_main(_arguments(settings))
    finally:
        for chore in chores:
            chore.stop()
        keeper.stop()
        engines.close()


def _open_data(settings: Settings) -> None:
    """With an object store this machine's directory holds copies alone, which may be of any release."""
    try:
        if settings.storage == "filesystem":
            open_data_directory(settings.data)
    except ServiceError as error:
        raise SystemExit(f"cdvd: {error}") from error


def build(settings: Settings) -> tuple[Celery, EngineCache, Keeper]:
    """Put the worker together; nothing runs yet."""
    transport.install()
    client = connect(settings.broker)
    app = create_celery(settings.broker)
    _configure(app)
    store, queue = RedisJobStore(client, settings.retention_s), JobQueue(app, client)
    owner = f"{settings.worker_name}/{secrets.token_hex(8)}"
    leases = StepLeases(client, owner, settings.claim_ttl_s)
    engines = EngineCache(settings.models, choose(settings))
    keeper = Keeper(
        leases,
        Reconciler(store, leases, queue),
        WorkerRegistry(client),
        lambda running: _describe(settings, engines, running),
        KeeperTimes(settings.claim_ttl_s, settings.stall_timeout_s),
    )
    storage = open_storage(settings.storage_options())
    measured = Measured(Throughput(client), settings.engine)
    steps = Steps(store, leases, queue, storage, engines, keeper, settings.window_limits(), measured)
    register(app, StepRunner(store, leases, queue, keeper), steps)
    return app, engines, keeper


def _chores(settings: Settings) -> tuple[Background, ...]:
    """What a worker does beside its tasks. Two couriers, so that one slow receiver does not hold up all others."""
    client = connect(settings.broker)
    storage = open_storage(settings.storage_options())
    store = RedisJobStore(client, settings.retention_s)
    due = DueJobs(DueList(client, key_names.EXPIRY_DUE), DueList(client, key_names.FORGET_DUE))
    partials = PartialResults(store, storage, DueList(client, key_names.PARTIALS_DUE))
    secret = settings.webhook_secret
    courier = WebhookSender(
        DeliveryStore(client),
        WebhookClient(settings.webhook_timeout_s, settings.webhook_allow_private),
        RetryPlan(settings.webhook_timeout_s, settings.webhook_first_delay_s, settings.webhook_attempts),
        secret.get_secret_value() if secret else None,
    )
    return (
        Background("webhooks 1", courier.step),
        Background("webhooks 2", courier.step),
        Background("partial results", partials.step),
        Background("retention", Retention(store, storage, due, settings.record_retention_s).step),
    )


def _configure(app: Celery) -> None:
    app.conf.update(
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
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


def _announce(keeper: Keeper, drain_s: float) -> None:
    """Stop at the next window, or after ``drain_s``, when the process is told to; the handler only sets a flag."""

    def on_shutdown(**_: Any) -> None:
        keeper.drain(drain_s)

    worker_shutting_down.connect(on_shutdown, weak=False)


def _load_default(engines: EngineCache, model: str, stopping: threading.Event) -> None:
    """Load the default model before taking work; while its engine is away, go on trying in the background.

    A worker without it still serves other models.
    """

    def keep_trying() -> None:
        while not stopping.wait(LOAD_AGAIN_S) and not _load(engines, model):
            pass

    if not _load(engines, model):
        threading.Thread(target=keep_trying, name="load", daemon=True).start()


def _load(engines: EngineCache, model: str) -> bool:
    """Whether the answer is final; an engine that is away may come back."""
    try:
        engines.get(model)
    except EngineUnavailable as error:
        log.warning("the default model is tried again: %s", error)
        return False
    except PrecisionTooLow as error:
        _refuse_to_serve(error)
    except ServiceError as error:
        log.error("the default model is not available: %s", error)
    return True


def _refuse_to_serve(error: PrecisionTooLow) -> NoReturn:
    """End the process, from whichever thread: a worker whose pictures are wrong must not take a single segment."""
    log.critical("this worker does not serve: %s", error)
    logging.shutdown()
    os._exit(os.EX_CONFIG)


def _describe(settings: Settings, engines: EngineCache, running: int) -> WorkerState:
    return WorkerState(
        settings.worker_name,
        settings.engine,
        engines.loaded,
        engines.available(),
        running,
        settings.worker_concurrency,
    )
