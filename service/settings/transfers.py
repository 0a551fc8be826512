"""The settings (``CDVD_...``) of transfers from ``input_url`` and to ``output_url``."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TransferSettings(BaseSettings):
    """Where workers fetch videos from and send results to; gateways refuse other addresses at once."""

    model_config = SettingsConfigDict(env_prefix="CDVD_", frozen=True, extra="ignore")

    transfer_allow_private: bool = False
    """Transfers may go to this machine and to private networks: for development and intranets."""
    transfer_ports: frozenset[int] | None = None
    """Ports (JSON) that transfers may go to; None is 80 and 443, and any with ``transfer_allow_private``."""
    transfer_hosts: frozenset[str] | None = None
    """Hosts (JSON, such as ``["media.example.org", ".amazonaws.com"]``) that transfers may go to; a name that begins
    with a dot stands for all below it. None is any."""
    transfer_silence_s: float = Field(default=30.0, gt=0)
    """Seconds without a byte after which a connection is given up."""
    transfer_longest_s: float = Field(default=3600.0, gt=0)
    """Seconds for one attempt to transfer a whole video."""
    transfers: int = Field(default=2, ge=1)
    """Videos of one tenant that a worker fetches at a time, beside what it restores, and four times as many of all; it
    sends as many results."""
    fetch_first_delay_s: float = Field(default=5.0, gt=0)
    """Seconds before a fetch that failed is tried again; four times as many before each further attempt."""
    fetch_attempts: int = Field(default=6, ge=1)
    """Attempts after which the job fails: half an hour in all."""
