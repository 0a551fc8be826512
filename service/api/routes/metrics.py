"""``/metrics``: figures for Prometheus; not part of the public API."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.dependencies import LoadGauges
from service.metrics import CONTENT_TYPE, GATEWAY, render

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(load: LoadGauges) -> Response:
    """Returns this gateway's counters, and the load of the whole installation."""
    return Response(render(GATEWAY, load), headers={"Content-Type": CONTENT_TYPE})
