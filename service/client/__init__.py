"""Provides a typed client for the HTTP API, on httpx: ``Client`` blocks, ``AsyncClient`` is for asyncio.

    with Client("http://127.0.0.1:8080") as client:
        job = client.submit("shaky.mp4")
        job = client.wait(job.id, on_change=lambda job: print(job.progress.fraction))
        client.download(job.id, "sharp.mp4")

All errors are kinds of ClientError. Nothing here needs more than httpx and httpx-sse.
"""

from __future__ import annotations

from service.client.async_client import AsyncClient
from service.client.errors import (
    AddressUnusable,
    ClientError,
    DownloadDamaged,
    RequestRejected,
    ServiceUnreachable,
    SourceChanged,
    WaitTimedOut,
)
from service.client.http.calls import TransferCallback
from service.client.jobs.submission import RESUMABLE_FROM_BYTES
from service.client.model import (
    FINAL_STATUSES,
    Description,
    Estimate,
    Event,
    Finding,
    Handover,
    Input,
    Job,
    Output,
    Problem,
    Progress,
    Sharpness,
)
from service.client.sync_client import Client

__all__ = [
    "FINAL_STATUSES",
    "RESUMABLE_FROM_BYTES",
    "AddressUnusable",
    "AsyncClient",
    "Client",
    "ClientError",
    "Description",
    "DownloadDamaged",
    "Estimate",
    "Event",
    "Finding",
    "Handover",
    "Input",
    "Job",
    "Output",
    "Problem",
    "Progress",
    "RequestRejected",
    "ServiceUnreachable",
    "Sharpness",
    "SourceChanged",
    "TransferCallback",
    "WaitTimedOut",
]
