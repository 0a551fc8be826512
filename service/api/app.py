"""The gateway's composition root: settings in, application out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from anyio.to_thread import run_sync
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from service.api.admin import routes as admin
from service.api.answers import problems
from service.api.gateway import Gateway, open_gateway
from service.api.known_names import KnownNames, refuse_unknown
from service.api.middleware.guard import Guard
from service.api.middleware.request_log import REQUEST_ID, RequestLog
from service.api.openapi.document import describe, operation_id
from service.api.openapi.guide import GUIDE, SERVERS, TAGS
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
    upload_tokens,
    uploads,
    version,
    webhooks,
)
from service.api.wrong_keys import WrongKeys
from service.config import Settings
from service.errors.broker import BrokerUnavailable
from service.errors.storage import StorageUnavailable
from service.local.address import is_loopback
from service.storage.spool import UploadSpool

log = logging.getLogger(__name__)

WEB = Path(__file__).resolve().parents[1] / "web"
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
    upload_tokens,
    session,
    system,
    version,
    metrics,
    admin,
)

_TUS = (
    *("Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum"),
    *("Upload-Expires", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
)
_ASKED = ("Authorization", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "Range", REQUEST_ID)
_TOLD = (
    *("Location", "Retry-After", "ETag", "Content-Disposition", "Accept-Ranges", "Content-Range"),
    *("Preference-Applied", "WWW-Authenticate", REQUEST_ID),
)
CORS: dict[str, Any] = {
    "allow_methods": ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"),
    "allow_headers": (*_ASKED, *_TUS),
    "expose_headers": (*_TOLD, *_TUS),
}
"""For pages of others that were allowed: with a key, never with cookies."""
TIDY_S = 60.0
"""Seconds between two looks for uploads that have expired or rest."""
OBJECTS_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


def create_app(settings: Settings) -> FastAPI:
    """Returns the application. Connections are opened with its first request or with its start, not here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=OBJECTS_TIMEOUT, trust_env=False) as objects:
            gateway = app.state.gateway = open_gateway(settings, objects)
            await run_sync(_sweep, gateway, settings.sweep_after_s)
            tidying = asyncio.create_task(_tidy(gateway.uploads.spool))
            yield
            tidying.cancel()
        await gateway.jobs.events.close()
        gateway.jobs.queue.close()

    app = FastAPI(
        title="cdvd",
        version=version.running_version().version,
        summary="Video deblurring",
        description=GUIDE,
        openapi_tags=TAGS,
        servers=SERVERS,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        dependencies=[Depends(refuse_unknown)],
        docs_url=None,  # would load Swagger UI from another host
        redoc_url=None,
    )
    problems.install(app)
    describe(app)
    for module in ROUTES:
        app.include_router(module.router)
    _serve_page(app)
    app.state.known_names = KnownNames(app.openapi())
    app.state.wrong_keys = WrongKeys(settings.wrong_keys_per_minute)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **CORS, allow_origins=tuple(settings.cors_origins))
    app.add_middleware(
        Guard, hosts=_hosts(settings), media=settings.s3_public_url, origins=settings.cors_origins
    )
    app.add_middleware(RequestLog)
    return app


def _hosts(settings: Settings) -> frozenset[str] | None:
    """Returns the names that requests may come under, beside those of this machine; None stands for any.

    Any will do where everybody may do everything, and where a key is asked for, which pages of others do not have.
    """
    anyone = settings.allow_unauthenticated or not is_loopback(settings.host)
    return None if anyone and not settings.allowed_hosts else settings.allowed_hosts


def _sweep(gateway: Gateway, older_than_s: float) -> None:
    """Removes what an earlier gateway that was killed left behind."""
    try:
        removed = gateway.storage.sweep(gateway.jobs.store.exists, older_than_s)
    except (BrokerUnavailable, StorageUnavailable) as error:
        log.warning("leftovers stay until the next start: %s", error)
        return
    log.info("removed %d leftovers of earlier uploads", removed)


async def _tidy(spool: UploadSpool) -> None:
    """Removes expired uploads, and frees the room of those that rest, again and again."""
    while True:
        with suppress(OSError):  # A disk that cannot be used is what the next upload says.
            await run_sync(spool.sweep)
        await asyncio.sleep(TIDY_S)


def _serve_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=WEB), name="static")
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger-ui")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/admin", include_in_schema=False)
    async def admin_page() -> FileResponse:
        return FileResponse(WEB / "admin" / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(WEB / "docs.html", headers={"Cache-Control": "no-cache"})
