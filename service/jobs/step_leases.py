"""Leases the steps of jobs to workers, and records which steps are finished and how far the others are.

Messages are only hints; Redis holds the truth about a step, so a message that is lost or delivered twice does no
harm. A worker begins a step by claiming it, at most one live worker holds the claim, and a finished step stays
finished. A claim lives as long as its worker renews it; ``service.jobs.reconcile`` queues the steps of dead workers
again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import redis

from service.devices.placement import Placement
from service.jobs.claim import Claim, ClaimAnswer
from service.jobs.record import MEMORY_PLANS, PLAN
from service.jobs.step_names import PLAN as PLAN_STEP
from service.memory.plan import MemoryPlan
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import steps
from service.types import Segment

_DEVICE, _PLAN = " device", " plan"
"""End the names of fields that say where a step ran and by which memory plan, beside those of the workers."""


class StepLeases:
    """Leases steps of all jobs to one worker. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, owner: str, claim_ttl_s: int) -> None:
        """``owner``: ``<worker name>/<incarnation>``; a claim of the same name from an earlier incarnation is dead.

        ``claim_ttl_s``: how long a claim lives after it was last renewed, in seconds.
        """
        self._redis = client
        self._owner = owner
        self.claim_ttl_s = claim_ttl_s
        self._claim = client.register_script(steps.CLAIM)
        self._renew = client.register_script(steps.RENEW)
        self._forgive = client.register_script(steps.FORGIVE)
        self._release = client.register_script(steps.RELEASE)
        self._requeue = client.register_script(steps.REQUEUE)
        self._set_plan = client.register_script(steps.SET_PLAN)
        self._add_memory_plan = client.register_script(steps.ADD_MEMORY_PLAN)
        self._complete = client.register_script(steps.COMPLETE)
        self._progress = client.register_script(steps.PROGRESS)

    def claim(self, job_id: str, step: str) -> Claim:
        """Asks for a step; the answer GRANTED makes this worker its only holder."""
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, step)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.frames, names.events]
        with broker_errors():
            reply = self._claim(keys=used, args=[step, self._owner, self.claim_ttl_s, time.time()])
        answer, deliveries, crashes = reply
        return Claim(ClaimAnswer(answer), int(deliveries), int(crashes))

    def renew(self, job_id: str, step: str) -> bool:
        """Prolongs a claim. Returns False if it was lost; the work may go on, it is only no longer exclusive."""
        with broker_errors():
            return bool(
                self._renew(keys=[key_names.claim(job_id, step)], args=[self._owner, self.claim_ttl_s])
            )

    def forgive(self, job_id: str, step: str) -> None:
        """Notes that this worker leaves in good order, so that the step it holds is not blamed for a crash."""
        used = [key_names.claim(job_id, step), JobKeys(job_id).deliveries]
        with broker_errors():
            self._forgive(keys=used, args=[step, self._owner])

    def release(self, job_id: str, step: str, not_before: float = 0.0, wanting: str = "") -> None:
        """Gives an unfinished step back, to be begun again no earlier than the unix time ``not_before``.

        ``wanting``: what it waits for, as in ``service.jobs.record``.
        """
        names = JobKeys(job_id)
        used = [names.record, names.steps, key_names.claim(job_id, step), names.deliveries]
        with broker_errors():
            self._release(keys=used, args=[step, self._owner, not_before, wanting])

    def postpone(self, job_id: str, step: str) -> int:
        """Counts that an engine or the object store was unavailable for a step; returns how often by now."""
        names = JobKeys(job_id)
        with broker_errors():
            return int(self._redis.hincrby(names.postponed, step, 1)) if self._exists(names) else 0

    def set_plan(self, job_id: str, segments: Sequence[Segment]) -> bool:
        """Finishes the plan and queues its segments. Returns False if that was done before or the job is gone."""
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, PLAN_STEP)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.events]
        plan = PLAN.dump_json(tuple(segments)).decode()
        with broker_errors():
            return bool(self._set_plan(keys=used, args=[self._owner, time.time(), plan, len(segments)]))

    def add_memory_plan(
        self, job_id: str, known: tuple[MemoryPlan, ...], plan: MemoryPlan
    ) -> tuple[MemoryPlan, ...]:
        """Adds a plan to those of a job; where another worker did so since ``known`` was read, its plan holds.

        Returns the plans that hold now.
        """
        texts = [MEMORY_PLANS.dump_json(plans).decode() for plans in (known, (*known, plan))]
        with broker_errors():
            found = self._add_memory_plan(keys=[JobKeys(job_id).record], args=texts)
        return MEMORY_PLANS.validate_json(str(found))

    def complete(
        self,
        job_id: str,
        step: str,
        frames: int,
        placement: Placement | None = None,
        plan: int | None = None,
    ) -> bool:
        """Finishes a segment of ``frames`` frames; ``placement`` is where it was restored, if it was just now.

        ``plan``: the place among the job's memory plans of that which it was restored by.

        Returns True to exactly one caller per job, the last, who then enqueues the ``finish`` step.
        """
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, step)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.frames]
        used += [names.events, names.workers]
        ran_on = f"{placement.device} {placement.line}" if placement else ""
        with broker_errors():
            args: list[str | int | float] = [
                step,
                self._owner,
                time.time(),
                frames,
                ran_on,
                "" if plan is None else plan,
            ]
            return bool(self._complete(keys=used, args=args))

    def drop(self, job_id: str, step: str) -> None:
        """Gives up the claim on a step of a job that has ended."""
        with broker_errors():
            if self._redis.get(key_names.claim(job_id, step)) == self._owner:
                self._redis.delete(key_names.claim(job_id, step))

    def progress(
        self, job_id: str, step: str, frames: int, new: int, seconds: float, newest: int | None = None
    ) -> bool:
        """Records that ``frames`` frames of a step are restored, and that the ``new`` ones took ``seconds``.

        ``newest``: the frame whose picture may be looked at, if that is another one now. Returns False if the job is
        not running.
        """
        names = JobKeys(job_id)
        with broker_errors():
            shown = "" if newest is None else newest
            args: list[str | int | float] = [step, frames, new, f"{seconds:.6f}", time.time(), shown]
            return bool(
                self._progress(keys=[names.record, names.frames, names.events, names.steps], args=args)
            )

    def pending(self, job_id: str) -> dict[str, str]:
        """Returns the state of each step still to do, as described in ``JobKeys.steps``."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).steps)
        return {str(step): str(state) for step, state in found.items()}

    def finished_by(self, job_id: str) -> dict[str, str]:
        """Returns the name of the worker that finished each finished segment, by step."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).workers)
        return {str(step): str(worker) for step, worker in found.items() if " " not in str(step)}

    def restored_on(self, job_id: str) -> dict[str, tuple[str, str]]:
        """Returns the device of each finished segment, and the sentence that says why, by step."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).workers)
        named = {str(name): str(text).partition(" ") for name, text in found.items()}
        return {
            name.removesuffix(_DEVICE): (device, line)
            for name, (device, _, line) in named.items()
            if name.endswith(_DEVICE)
        }

    def restored_by(self, job_id: str) -> dict[str, int]:
        """Returns the place of the memory plan that each finished segment was restored by, by step."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).workers)
        return {
            str(name).removesuffix(_PLAN): int(place)
            for name, place in found.items()
            if str(name).endswith(_PLAN)
        }

    def holder(self, job_id: str, step: str) -> str | None:
        """Returns the owner of the claim on a step; None if nobody holds it."""
        with broker_errors():
            owner = self._redis.get(key_names.claim(job_id, step))
        return None if owner is None else str(owner)

    def requeue(self, job_id: str, step: str, seen: str, dead_owner: str | None = None) -> bool:
        """Marks a step as queued if its state is still ``seen`` and nobody but ``dead_owner`` holds it.

        Returns whether it was marked; the caller then enqueues it.
        """
        names = JobKeys(job_id)
        with broker_errors():
            used = [names.record, names.steps, key_names.claim(job_id, step), names.deliveries]
            return bool(self._requeue(keys=used, args=[step, seen, dead_owner or "", time.time()]))

    def is_predecessor(self, owner: str) -> bool:
        """Returns whether ``owner`` is an earlier incarnation of this very worker, and so surely dead."""
        return owner != self._owner and owner.partition("/")[0] == self._owner.partition("/")[0]

    def _exists(self, names: JobKeys) -> bool:
        return bool(self._redis.exists(names.record))
