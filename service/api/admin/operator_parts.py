"""What operators look at and change, of all tenants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.overview.resources import BrokerUse, Disk
from service.overview.tenants import TenantWorks
from service.tenancy.intake import Intake
from service.webhooks.deliveries import DeliveryStore


@dataclass(frozen=True)
class OperatorParts:
    """The parts of a gateway that its routes below ``/admin`` use."""

    jobs: RedisJobStore
    works: TenantWorks
    workers: WorkerRegistry
    deliveries: DeliveryStore
    disk: Disk
    broker: Callable[[], BrokerUse]
    intake: Intake
