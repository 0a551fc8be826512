"""Puts together what a worker does beside its tasks: transfers, webhooks, partial results, removals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event, Semaphore

import redis

from service.config import Settings
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.queue import JobQueue, create_celery
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry
from service.model_catalog import ModelCatalog
from service.outbound.connection import Dialer
from service.outbound.download import Downloader
from service.outbound.retry_plan import RetryPlan
from service.outbound.upload import Sender
from service.quality import QualityModels
from service.redis_state import key_names
from service.redis_state.connection import connect
from service.redis_state.due import DueList
from service.redis_state.exports import SideBySideExports
from service.redis_state.shares import Shares
from service.storage.open import open_storage
from service.storage.store import Storage
from service.submission.acceptance import JobAcceptance
from service.submission.chooser import Chooser
from service.submission.rules import SubmissionRules
from service.tenancy.api_keys import KeyRing
from service.tenancy.quotas import Quotas
from service.transfers.bookkeeping import Transfers
from service.webhooks.deliveries import DeliveryStore
from service.webhooks.post import WebhookClient
from service.webhooks.sender import WebhookSender
from service.worker.chores.background import BackgroundThread
from service.worker.chores.fetches import Fetches, FetchParts
from service.worker.chores.handovers import HandoverParts, Handovers
from service.worker.chores.partial_results import PartialResults
from service.worker.chores.retention import DueJobs, Retention
from service.worker.chores.side_by_side import SideBySideVideos
from service.worker.memory import unused

TENANTS_AT_ONCE = 4
"""Tenants whose servers may all be slow before somebody else's transfers and webhooks wait; a thread that waits costs
little."""
WEBHOOKS_OF_TENANT = 4
"""Webhooks that a worker delivers at a time for one tenant ..."""
WEBHOOKS_TO_RECEIVER = 2
"""... and of those to one receiver: where one hangs, the others of its tenant are told all the same."""


def open_chores(settings: Settings, stopping: Event) -> tuple[BackgroundThread, ...]:
    """Returns the threads beside the tasks; several for what waits for others, so that a slow one does not delay all.

    ``stopping`` is set when the worker stops; what it fetches or sends then goes to another one.
    """
    client = connect(settings.broker)
    storage = open_storage(settings.storage_options())
    store = RedisJobStore(client, settings.retention_s)
    due = DueJobs(DueList(client, key_names.EXPIRY_DUE), DueList(client, key_names.FORGET_DUE))
    partials = PartialResults(store, storage, DueList(client, key_names.PARTIALS_DUE))
    videos = SideBySideVideos(store, storage, SideBySideExports(client), settings.claim_ttl_s, stopping)
    return (
        BackgroundThread("partial results", partials.step),
        BackgroundThread("side by side", videos.step),
        BackgroundThread("retention", Retention(store, storage, due, settings.record_retention_s).step),
        BackgroundThread("unused memory", unused.trim, unused.PAUSE_S),
        *open_webhooks(settings, client),
        *_transfers(settings, client, storage, stopping),
    )


def open_webhooks(settings: Settings, client: redis.Redis) -> Iterator[BackgroundThread]:
    """Yields the threads that deliver webhooks."""
    secret, deliveries = settings.webhook_secret, DeliveryStore(client)
    sender = WebhookSender(
        deliveries,
        Shares(deliveries.due, WEBHOOKS_OF_TENANT, WEBHOOKS_TO_RECEIVER),
        WebhookClient(settings.webhook_timeout_s, settings.webhook_reach()),
        RetryPlan(settings.webhook_first_delay_s, settings.webhook_attempts),
        secret.get_secret_value() if secret else None,
    )
    for number in range(1, TENANTS_AT_ONCE * WEBHOOKS_OF_TENANT + 1):
        yield BackgroundThread(f"webhooks {number}", sender.step)


def _transfers(
    settings: Settings, client: redis.Redis, storage: Storage, stopping: Event
) -> Iterator[BackgroundThread]:
    store, transfers = RedisJobStore(client, settings.retention_s), Transfers(client)
    dialer = Dialer(settings.transfer_silence_s, settings.transfer_reach())
    downloader = Downloader(dialer, settings.max_upload_bytes, settings.transfer_longest_s)
    plan = RetryPlan(settings.fetch_first_delay_s, settings.fetch_attempts)
    fetches_due, outputs_due = (
        DueList(client, key) for key in (key_names.FETCHES_DUE, key_names.OUTPUTS_DUE)
    )
    handovers = Handovers(
        HandoverParts(store, storage, transfers, outputs_due),
        Shares(outputs_due, settings.transfers),
        Sender(dialer, settings.transfer_longest_s),
        RetryPlan(settings.webhook_first_delay_s, settings.webhook_attempts),
        settings.claim_ttl_s,
        stopping,
    )
    shares, looking = Shares(fetches_due, settings.transfers), Semaphore(settings.transfers)
    for number in range(1, TENANTS_AT_ONCE * settings.transfers + 1):
        parts = _fetch_parts(settings, client, storage, looking)
        fetches = Fetches(parts, shares, downloader, plan, settings.claim_ttl_s, stopping)
        yield BackgroundThread(f"fetches {number}", fetches.step)
        yield BackgroundThread(f"handovers {number}", handovers.step)


def _fetch_parts(settings: Settings, client: redis.Redis, storage: Storage, looking: Semaphore) -> FetchParts:
    """Returns the parts for one thread: what is asynchronous in the rules belongs to its event loop."""
    store, workers = RedisJobStore(client, settings.retention_s), WorkerRegistry(client)
    turns = Turns(client, settings.tenant_weights)
    estimator = Estimator(Throughput(client), store, workers, settings.window_limits(), turns)
    queue = JobQueue(create_celery(settings.broker), client, turns)
    chooser = Chooser(
        ModelCatalog(settings.models, settings.model),
        QualityModels(settings.model, settings.best_model),
        settings.default_quality,
        estimator,
    )
    return FetchParts(
        store,
        storage,
        Transfers(client),
        DueList(client, key_names.FETCHES_DUE),
        JobAcceptance(storage, store, queue, estimator),
        SubmissionRules(
            chooser,
            settings.probe_limits(),
            asyncio.Semaphore(1),
            settings.webhook_reach(),
            settings.transfer_reach(),
        ),
        Quotas(client, settings.queue_limit),
        KeyRing(client),
        looking,
    )
