"""Which cdvd answers."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel, Field

from service.api.openapi.responses import problems
from service.distribution import installed

router = APIRouter(tags=["service"])


class VersionBody(BaseModel):
    """The release that runs, for reports of faults and for clients that support several."""

    version: str = Field(examples=["0.1.0"])
    commit: str | None = Field(description="of the source, where that is known")


@cache
def running_version() -> VersionBody:
    """Returns the version of this process: it does not change while the process runs."""
    found = installed()
    return VersionBody(version=found.version, commit=found.commit)


@router.get("/version", responses=problems())
def get_version() -> VersionBody:
    """The version of the service."""
    return running_version()
