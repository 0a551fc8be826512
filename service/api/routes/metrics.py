"""Figures for Prometheus; not part of the public API."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.dependencies import Parts
from service.metrics import CONTENT_TYPE, GATEWAY, render

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(parts: Parts) -> Response:
    """This gateway's counters, and the load of the whole installation."""
    return Response(render(GATEWAY, parts.load), headers={"Content-Type": CONTENT_TYPE})
