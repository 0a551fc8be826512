"""What one gateway process holds, shared by all requests. Routes get single parts: ``service.api.dependencies``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
import redis
from prometheus_client import CollectorRegistry

from service.api.admin.operator_parts import OperatorParts
from service.api.answers.service_bodies import LimitsBody, limits_body
from service.api.load_gauges import load_registry
from service.api.rechecks import Rechecks
from service.config import Settings
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.event_feeds import REREADERS, EventFeeds, FeedLimits
from service.jobs.events import EventReader
from service.jobs.idempotency import Submissions
from service.jobs.queue import JobQueue, create_celery
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry
from service.model_catalog import ModelCatalog
from service.overview.resources import Disk, broker_use
from service.overview.tenants import TenantWorks
from service.quality import QualityModels
from service.redis_state.connection import connect
from service.redis_state.exports import SideBySideExports
from service.storage.open import open_storage
from service.storage.spool import UploadSpool
from service.storage.store import Storage
from service.submission.chooser import Chooser
from service.submission.rules import SubmissionRules
from service.tenancy.api_keys import KeyRing
from service.tenancy.intake import Intake
from service.tenancy.quotas import Quotas
from service.tenancy.upload_tokens import UploadTokens
from service.webhooks.deliveries import DeliveryStore

PREVIEWS_AT_ONCE = 2


@dataclass(frozen=True)
class JobParts:
    """Where jobs are kept, of all tenants."""

    store: RedisJobStore
    queue: JobQueue
    events: EventFeeds
    workers: WorkerRegistry
    deliveries: DeliveryStore
    estimator: Estimator
    exports: SideBySideExports


@dataclass(frozen=True)
class UploadParts:
    """What takes uploads in."""

    rules: SubmissionRules
    submissions: Submissions
    spool: UploadSpool
    max_bytes: int


@dataclass(frozen=True)
class AccessParts:
    """What knows who may do how much."""

    keys: KeyRing
    intake: Intake
    tokens: UploadTokens
    quotas: Quotas
    rechecks: Rechecks


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway by subject."""

    jobs: JobParts
    uploads: UploadParts
    access: AccessParts
    operators: OperatorParts
    storage: Storage
    limits: LimitsBody
    """What callers are told of the settings."""
    objects: httpx.AsyncClient
    """Reads files from an object store that clients do not reach."""
    load: CollectorRegistry
    """Gauges that are read from Redis."""
    decoding_slots: asyncio.Semaphore
    """Bounds the child processes that decode: previews must not starve uploads of the processor."""


def open_gateway(settings: Settings, objects: httpx.AsyncClient) -> Gateway:
    """Puts the parts together. Connections are opened by their first use, not here."""
    client = connect(settings.broker)
    jobs = _job_parts(settings, client)
    return Gateway(
        jobs=jobs,
        uploads=_upload_parts(settings, client, jobs.estimator),
        access=_access_parts(settings, client),
        operators=_operator_parts(settings, client, jobs),
        storage=open_storage(settings.storage_options()),
        limits=limits_body(settings),
        objects=objects,
        load=load_registry(jobs.queue, jobs.store, jobs.workers),
        decoding_slots=asyncio.Semaphore(PREVIEWS_AT_ONCE),
    )


def _job_parts(settings: Settings, client: redis.Redis) -> JobParts:
    store, workers = RedisJobStore(client, settings.retention_s), WorkerRegistry(client)
    turns = Turns(client, settings.tenant_weights)
    return JobParts(
        store=store,
        queue=JobQueue(create_celery(settings.broker), client, turns),
        events=_feeds(settings),
        workers=workers,
        deliveries=DeliveryStore(client),
        estimator=Estimator(Throughput(client), store, workers, settings.window_limits(), turns),
        exports=SideBySideExports(client),
    )


def _access_parts(settings: Settings, client: redis.Redis) -> AccessParts:
    ring, tokens = KeyRing(client), UploadTokens(client)
    quotas, rechecks = Quotas(client, settings.queue_limit), Rechecks(ring, tokens)
    return AccessParts(ring, Intake(client), tokens, quotas, rechecks)


def _operator_parts(settings: Settings, client: redis.Redis, jobs: JobParts) -> OperatorParts:
    return OperatorParts(
        jobs=jobs.store,
        works=TenantWorks(client),
        workers=jobs.workers,
        deliveries=jobs.deliveries,
        disk=Disk(settings.data, settings.min_free_bytes),
        broker=lambda: broker_use(client),
        intake=Intake(client),
    )


def _feeds(settings: Settings) -> EventFeeds:
    limits = FeedLimits(settings.event_streams, settings.event_streams_per_tenant)
    return EventFeeds(EventReader(settings.broker, limits.jobs + REREADERS), limits)


def _upload_parts(settings: Settings, client: redis.Redis, estimator: Estimator) -> UploadParts:
    catalog = ModelCatalog(settings.models, settings.model)
    qualities = QualityModels(settings.model, settings.best_model)
    chooser = Chooser(catalog, qualities, settings.default_quality, estimator)
    return UploadParts(
        rules=SubmissionRules(
            chooser,
            settings.probe_limits(),
            asyncio.Semaphore(settings.probes),
            settings.webhook_reach(),
            settings.transfer_reach(),
        ),
        submissions=Submissions(client),
        spool=UploadSpool(
            settings.data / "uploads",
            settings.upload_keep_s,
            settings.upload_longest_s,
            settings.min_free_bytes,
            settings.upload_least_rate,
        ),
        max_bytes=settings.max_upload_bytes,
    )
