"""The gateway's composition root: settings in, application out."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from service.api.answers import problems
from service.api.dependencies import Gateway, UploadLimits
from service.api.load_gauges import load_registry
from service.api.middleware.guard import Guard
from service.api.middleware.request_log import RequestLog
from service.api.openapi.guide import GUIDE
from service.api.openapi.responses import describe_keys
from service.api.routes import (
    estimates,
    events,
    files,
    frames,
    jobs,
    metrics,
    previews,
    session,
    sharpness,
    system,
    uploads,
    version,
    webhooks,
)
from service.config import Settings
from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.storage import StorageUnavailable
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.events import EventReader
from service.jobs.idempotency import Submissions
from service.jobs.queue import JobQueue, create_celery
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.local.address import is_loopback, require_safe_address
from service.local.data_version import open_data_directory
from service.logs import configure_logging
from service.model_catalog import ModelCatalog
from service.redis_state.connection import connect
from service.storage.open import open_storage
from service.storage.spool import UploadSpool
from service.tenancy.api_keys import KeyRing
from service.tenancy.quotas import Quotas
from service.tracing import configure_tracing
from service.video.sandbox.probe import ProbeLimits
from service.webhooks.deliveries import DeliveryStore

log = logging.getLogger(__name__)

WEB = Path(__file__).resolve().parents[1] / "web"
GOODBYE_S = 5
"""Time for answers in flight when the gateway stops; event streams do not end by themselves."""

PREVIEWS_AT_ONCE = 2

ROUTES = (
    jobs,
    files,
    frames,
    previews,
    estimates,
    sharpness,
    events,
    webhooks,
    uploads,
    session,
    system,
    version,
    metrics,
)

OBJECTS_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


def create_app(settings: Settings) -> FastAPI:
    """The application. Connections are opened with its first request or with its start, not here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        gateway = app.state.gateway = _gateway(settings)
        await run_sync(_sweep, gateway, settings.sweep_after_s)
        async with httpx.AsyncClient(timeout=OBJECTS_TIMEOUT, trust_env=False) as app.state.objects:
            yield
        await gateway.events.close()
        gateway.queue.close()

    app = FastAPI(
        title="cdvd",
        version=version.running_version().version,
        summary="Video deblurring",
        description=GUIDE,
        lifespan=lifespan,
        docs_url=None,  # would load Swagger UI from another host
        redoc_url=None,
    )
    problems.install(app)
    describe_keys(app)
    for module in ROUTES:
        app.include_router(module.router)
    _serve_page(app)
    app.add_middleware(Guard, hosts=_hosts(settings), media=settings.s3_public_url)
    app.add_middleware(RequestLog)
    return app


def main() -> None:
    """Serve until told to stop: ``python -m service.api``."""
    settings = Settings()
    configure_logging(settings.log_format, settings.log_level)
    configure_tracing("cdvd-gateway")
    try:
        open_data_directory(settings.data)
        listener = _listen(settings)
    except ServiceError as error:
        raise SystemExit(f"cdvd: {error}") from error
    config = uvicorn.Config(
        create_app(settings),
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    def have_keys() -> bool:
        with connect(settings.broker) as client:
            return KeyRing(client).any()

    if settings.listen_fd is not None:
        listener = socket.socket(fileno=settings.listen_fd)
        require_safe_address(listener.getsockname()[0], settings.allow_unauthenticated, have_keys)
        return listener
    require_safe_address(settings.host, settings.allow_unauthenticated, have_keys)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=128)


def _gateway(settings: Settings) -> Gateway:
    client = connect(settings.broker)
    store, workers = RedisJobStore(client, settings.retention_s), WorkerRegistry(client)
    queue = JobQueue(create_celery(settings.broker), client)
    return Gateway(
        store=store,
        queue=queue,
        events=EventReader(settings.broker),
        workers=workers,
        storage=open_storage(settings.storage_options()),
        catalog=ModelCatalog(settings.models),
        default_model=settings.model,
        limits=UploadLimits(settings.max_upload_bytes, _probe_limits(settings)),
        estimator=Estimator(Throughput(client), store, workers, settings.window_limits()),
        deliveries=DeliveryStore(client),
        submissions=Submissions(client),
        spool=UploadSpool(settings.data / "uploads", settings.upload_keep_s, settings.min_free_bytes),
        keys=KeyRing(client),
        quotas=Quotas(client, settings.queue_limit),
        webhook_allow_private=settings.webhook_allow_private,
        load=load_registry(queue, store, workers),
        previews=asyncio.Semaphore(PREVIEWS_AT_ONCE),
    )


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The names that requests may come under, beside those of this machine; None where any will do: where everybody may
    do everything, and where a key is asked for, which pages of others do not have.
    """
    anyone = settings.allow_unauthenticated or not is_loopback(settings.host)
    return None if anyone and not settings.allowed_hosts else settings.allowed_hosts


def _probe_limits(settings: Settings) -> ProbeLimits:
    return ProbeLimits(
        max_pixels=settings.max_frame_pixels,
        max_duration_s=settings.max_duration_s,
        max_frames=settings.max_frames,
        timeout_s=settings.probe_timeout_s,
    )


def _sweep(gateway: Gateway, older_than_s: float) -> None:
    """Remove what an earlier gateway that was killed left behind."""
    try:
        removed = gateway.storage.sweep(gateway.store.exists, older_than_s)
    except (BrokerUnavailable, StorageUnavailable) as error:
        log.warning("leftovers stay until the next start: %s", error)
        return
    log.info("removed %d leftovers of earlier uploads", removed)


def _serve_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=WEB), name="static")
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger-ui")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(WEB / "docs.html", headers={"Cache-Control": "no-cache"})
