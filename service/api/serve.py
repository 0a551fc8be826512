"""Runs the gateway as a process: ``python -m service.api``."""

from __future__ import annotations

import logging
import socket

import uvicorn

from service.api.app import create_app
from service.api.connections.gate import (
    ACCEPTED_AT_ONCE,
    Gate,
    GateLimits,
    networks,
    room_for_connections,
)
from service.api.connections.protocol import Patience, PatientProtocol, guarded_protocol
from service.config import Settings
from service.errors.base import ServiceError
from service.local.address import require_safe_address
from service.local.data_version import open_data_directory
from service.logs import configure_logging
from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing
from service.tracing import configure_tracing

log = logging.getLogger(__name__)

GOODBYE_S = 5
"""Seconds for answers in flight when the gateway stops; event streams do not end by themselves."""


def main() -> None:
    """Serves until a signal stops it. Ends with a sentence where it may not listen."""
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
        http=_protocol(settings),
        ws="none",
        backlog=ACCEPTED_AT_ONCE,
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _protocol(settings: Settings) -> type[PatientProtocol]:
    total = room_for_connections(settings.connections)
    if total < settings.connections:
        log.warning(
            "the limit of open files is enough for %d connections, not %d", total, settings.connections
        )
    limits = GateLimits(total, settings.connections_per_address, networks(settings.proxies))
    patience = Patience(header_s=settings.header_timeout_s, least_rate=settings.body_least_rate)
    return guarded_protocol(Gate(limits), patience)


def _listen(settings: Settings) -> socket.socket:
    """Returns a listening socket. Raises InsecureAddress."""

    def have_keys() -> bool:
        with connect(settings.broker) as client:
            return KeyRing(client).any()

    if settings.listen_fd is not None:
        listener = socket.socket(fileno=settings.listen_fd)
        require_safe_address(listener.getsockname()[0], settings.allow_unauthenticated, have_keys)
        return listener
    require_safe_address(settings.host, settings.allow_unauthenticated, have_keys)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=ACCEPTED_AT_ONCE)
