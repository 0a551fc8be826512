"""The settings of gateways (``CDVD_...``): where they listen, whom they serve and what they take."""

from __future__ import annotations

import os
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 1024**3


class GatewaySettings(BaseSettings):
    """What concerns gateways alone; ``service.config.Settings`` has the rest."""

    model_config = SettingsConfigDict(env_prefix="CDVD_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    listen_fd: int | None = None
    """A socket that already listens, handed down by the parent process; replaces host and port."""
    allow_unauthenticated: bool = False
    """Serve on other addresses than loopback although there are no keys, so that everyone who reaches them may do
    everything: where something else decides who does, such as a container's published ports. Once there is a key
    (``cdvd keys create``) keys are asked for, whatever is set here."""
    allowed_hosts: frozenset[str] = frozenset()
    """Names, beside those of this machine, that requests may come under (JSON, such as ``["gateway"]``): keeps
    pages of others out of browsers' reach. Empty with ``allow_unauthenticated``, or with an address other than
    loopback, where keys do that: any name."""

    connections: int = Field(default=4096, ge=16)
    """Connections that a gateway holds at a time; fewer where the limit of open files is below three times as many."""
    connections_per_address: int = Field(default=256, ge=1)
    """Of these, from one IPv4 address, or one /64 of IPv6."""
    proxies: frozenset[str] = frozenset({"127.0.0.0/8", "::1/128"})
    """Networks (JSON) whose addresses stand for many clients, so that only ``connections`` bounds them: this machine,
    and the reverse proxies in front of the gateway."""
    header_timeout_s: float = Field(default=10.0, gt=0)
    """For the header of a request to arrive, from the beginning of the connection or of the request."""
    body_least_rate: float = Field(default=1024.0, gt=0)
    """Bytes per second of a request's body at least, on average over ten seconds; slower ones are ended with 408."""
    wrong_keys_per_minute: int = Field(default=20, ge=1)
    """Wrong keys from one address before further ones get 429 instead of 401."""
    cors_origins: frozenset[Annotated[str, Field(pattern=r"^https?://[^/\s,*]+$")]] = frozenset()
    """Origins (JSON, such as ``["https://app.example.org"]``) whose pages may use the API with a key; none by default.
    Sessions are for the service's own page alone."""
    event_streams: int = Field(default=3000, ge=1)
    """Event streams that are open at a time."""
    event_streams_per_tenant: int = Field(default=2000, ge=1)

    max_upload_bytes: int = Field(default=2 * GIB, gt=0)
    upload_keep_s: float = Field(default=24 * 3600.0, gt=0)
    """How long a resumable upload waits for its next byte, or to become a job. Lies below ``data``, also where
    files of jobs are in an object store: several gateways share that directory, or a client stays with one."""
    upload_longest_s: float = Field(default=7 * 24 * 3600.0, gt=0)
    """Seconds after its creation for all bytes of a resumable upload to arrive: one that gets a byte now and then would
    otherwise never end. A complete one waits to become a job as ``upload_keep_s`` says."""
    upload_least_rate: float = Field(default=1024.0, ge=0)
    """Bytes per second, on average since its creation and from ten minutes on, for which a resumable upload has disk
    space for the bytes to come; a slower one keeps what arrived, and takes space as bytes come."""
    max_frame_pixels: int = Field(default=4096 * 2304, gt=0)
    max_duration_s: float = Field(default=3600.0, gt=0)
    max_frames: int = Field(default=120_000, gt=0)
    probes: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Uploads that are looked at at a time, each in a process of its own; the others wait their turn. One takes about
    80 MB and half a second of a core. By default as many as there are cores."""
    probe_timeout_s: float = Field(default=30.0, gt=0)
    min_free_bytes: int = Field(default=GIB // 2, ge=0)
    """Disk space that uploads leave free, for pieces and results."""
    queue_limit: int | None = Field(default=None, ge=1)
    """Jobs that may wait for a worker at a time, of all keys together; None is any number."""
    sweep_after_s: float = Field(default=6 * 3600.0, ge=0)
    """Files without a job are removed at start when they are this old, unless a live process holds them; in an object
    store and on a file system without locks, which cannot tell, when they are three hours old at least."""

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: frozenset[str]) -> frozenset[str]:
        for text in value:
            ip_network(text, strict=False)
        return value
