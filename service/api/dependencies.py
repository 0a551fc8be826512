"""The parts of the gateway that a route can ask for, one by one, each as its caller may see it.

A route's signature says what it may touch. Every part comes through ``admitted_caller``, so that no route can get at
data without the check of who is asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, cast

import httpx
from anyio.to_thread import run_sync
from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.api.access import Caller, Rule, admitted, rule_of
from service.api.admin.operator_parts import OperatorParts
from service.api.answers.frame_pictures import FramePictures
from service.api.answers.posters import Posters
from service.api.answers.service_bodies import LimitsBody
from service.api.gateway import AccessParts, Gateway
from service.api.rechecks import Rechecks
from service.api.token_access import admitted_by_token
from service.api.upload.appending import UploadIntake
from service.api.upload.body import RequestBody
from service.api.upload.by_token import TokenIntake
from service.api.waiting import JobWaiter
from service.errors.base import ServiceError
from service.estimates.estimate import Estimator
from service.jobs.event_feeds import EventFeeds
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.redis_state.exports import SideBySideExports
from service.storage.spool import UploadSpool
from service.storage.store import Storage
from service.submission.acceptance import JobAcceptance
from service.submission.by_token import TokenSubmitter
from service.submission.chooser import Chooser
from service.submission.rules import SubmissionRules
from service.submission.submitter import Submitter
from service.tenancy.api_keys import KeyRing
from service.tenancy.quotas import Quotas
from service.tenancy.upload_tokens import UploadTokens
from service.webhooks.deliveries import DeliveryStore


async def admitted_caller(request: Request) -> Caller:
    """Returns the caller if the rule of the route lets them in; the body is not looked at before that.

    Raises AccessError, RateLimited and BrokerUnavailable, and what ``admitted_by_token`` does.
    """
    access = cast(Gateway, request.app.state.gateway).access
    rule = rule_of(request.method, request.scope["route"].path)
    try:
        return await run_sync(_admit, access, request, rule)
    except ServiceError:
        await RequestBody(request).drain()
        raise


def _admit(access: AccessParts, request: Request, rule: Rule) -> Caller:
    caller = admitted_by_token(request, access.keys, access.tokens, rule) or admitted(
        request, access.keys, rule
    )
    if rule.new_work:
        access.intake.require_open()
    if rule.metered and caller.token is not None:
        access.quotas.count_try(caller.token.id)
    elif rule.metered and caller.key is not None:
        access.quotas.count_submission(caller.key)
    return caller


AdmittedCaller = Annotated[Caller, Depends(admitted_caller)]


def _part(choose: Callable[[Gateway, Caller], object]) -> Any:
    """Makes a dependency that hands one part of the gateway to an admitted caller."""

    async def part(request: Request, caller: AdmittedCaller) -> object:
        return choose(request.app.state.gateway, caller)

    return Depends(part)


def _own_jobs(gateway: Gateway, caller: Caller) -> RedisJobStore:
    store = gateway.jobs.store
    return store if caller.sees_all else store.of(caller.tenant)


def _submitter(gateway: Gateway, caller: Caller) -> Submitter:
    jobs, uploads = gateway.jobs, gateway.uploads
    submitter = Submitter(
        rules=uploads.rules,
        acceptance=JobAcceptance(gateway.storage, _own_jobs(gateway, caller), jobs.queue, jobs.estimator),
        quotas=gateway.access.quotas,
        submissions=uploads.submissions.of(caller.tenant),
        spool=uploads.spool.of(caller.tenant),
        tenant=caller.tenant,
        key=caller.key,
    )
    return TokenSubmitter.of(submitter, caller.token, gateway.access.tokens) if caller.token else submitter


def _intake(gateway: Gateway, caller: Caller) -> UploadIntake:
    access, spool = gateway.access, gateway.uploads.spool.of(caller.tenant)
    if caller.token is not None:
        return TokenIntake(spool, access.quotas, caller.key, access.tokens, caller.token)
    return UploadIntake(spool, access.quotas, caller.key)


def _max_upload_bytes(gateway: Gateway, caller: Caller) -> int:
    most = gateway.uploads.max_bytes
    return most if caller.token is None else min(most, caller.token.grant.max_bytes)


OwnJobs = Annotated[RedisJobStore, _part(_own_jobs)]
"""The jobs of the caller's tenant; all jobs for an administrator."""
Waiter = Annotated[
    JobWaiter,
    _part(lambda gateway, caller: JobWaiter(_own_jobs(gateway, caller), gateway.jobs.events, caller.tenant)),
]
Queue = Annotated[JobQueue, _part(lambda gateway, _: gateway.jobs.queue)]
Events = Annotated[EventFeeds, _part(lambda gateway, _: gateway.jobs.events)]
Workers = Annotated[WorkerRegistry, _part(lambda gateway, _: gateway.jobs.workers)]
Deliveries = Annotated[DeliveryStore, _part(lambda gateway, _: gateway.jobs.deliveries)]
Estimates = Annotated[Estimator, _part(lambda gateway, _: gateway.jobs.estimator)]
OwnSubmitter = Annotated[Submitter, _part(_submitter)]
Rules = Annotated[SubmissionRules, _part(lambda gateway, _: gateway.uploads.rules)]
ModelChooser = Annotated[Chooser, _part(lambda gateway, _: gateway.uploads.rules.chooser)]
MaxUploadBytes = Annotated[int, _part(_max_upload_bytes)]
Intake = Annotated[UploadIntake, _part(_intake)]
OwnSpool = Annotated[UploadSpool, _part(lambda gateway, caller: gateway.uploads.spool.of(caller.tenant))]
"""The resumable uploads of the caller's tenant."""
Tokens = Annotated[UploadTokens, _part(lambda gateway, _: gateway.access.tokens)]
Keys = Annotated[KeyRing, _part(lambda gateway, _: gateway.access.keys)]
Recheck = Annotated[Rechecks, _part(lambda gateway, _: gateway.access.rechecks)]
Operators = Annotated[OperatorParts, _part(lambda gateway, _: gateway.operators)]
"""What the service does for all tenants; for routes that only administrators reach."""
Limits = Annotated[Quotas, _part(lambda gateway, _: gateway.access.quotas)]
Files = Annotated[Storage, _part(lambda gateway, _: gateway.storage)]
Objects = Annotated[httpx.AsyncClient, _part(lambda gateway, _: gateway.objects)]
ServiceLimits = Annotated[LimitsBody, _part(lambda gateway, _: gateway.limits)]
LoadGauges = Annotated[CollectorRegistry, _part(lambda gateway, _: gateway.load)]
Pictures = Annotated[
    FramePictures, _part(lambda gateway, _: FramePictures(gateway.storage, gateway.decoding_slots))
]
Exports = Annotated[SideBySideExports, _part(lambda gateway, _: gateway.jobs.exports)]
PosterMaker = Annotated[Posters, _part(lambda gateway, _: Posters(gateway.storage, gateway.decoding_slots))]
DecodingSlots = Annotated[asyncio.Semaphore, _part(lambda gateway, _: gateway.decoding_slots)]
