"""Which step of which job is whose: claims, finished steps, progress.

Messages are only hints. The truth about a step is here, so a message that is lost or delivered
twice does no harm: a step is begun by claiming it, at most one live worker holds the claim, and a finished
step stays finished. A claim lives as long as its worker renews it; ``service.jobs.reconcile`` queues again
what a dead one held.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import redis

from service.jobs.record import PLAN
from service.jobs.steps import PLAN as PLAN_STEP
from service.jobs.steps import Claim, ClaimAnswer
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import steps
from service.types import Segment


class StepLedger:
    """Steps of all jobs, as one worker sees them. Methods raise BrokerUnavailable.

    ``owner``: ``<worker name>/<incarnation>``. A claim under our name from an earlier incarnation is dead.
    """

    def __init__(self, client: redis.Redis, owner: str, claim_ttl_s: int) -> None:
        self._redis = client
        self._owner = owner
        self._ttl_s = claim_ttl_s
        self._claim = client.register_script(steps.CLAIM)
        self._renew = client.register_script(steps.RENEW)
        self._forgive = client.register_script(steps.FORGIVE)
        self._release = client.register_script(steps.RELEASE)
        self._requeue = client.register_script(steps.REQUEUE)
        self._set_plan = client.register_script(steps.SET_PLAN)
        self._complete = client.register_script(steps.COMPLETE)
        self._progress = client.register_script(steps.PROGRESS)

    def claim(self, job_id: str, step: str) -> Claim:
        """Ask to begin a step; GRANTED makes this worker its only holder."""
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, step)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.frames, names.events]
        with broker_errors():
            reply = self._claim(keys=used, args=[step, self._owner, self._ttl_s, time.time()])
        answer, deliveries, crashes = reply
        return Claim(ClaimAnswer(answer), int(deliveries), int(crashes))

    def renew(self, job_id: str, step: str) -> bool:
        """Keep a claim alive. False if it was lost; the work may go on, it is only no longer exclusive."""
        with broker_errors():
            return bool(self._renew(keys=[key_names.claim(job_id, step)], args=[self._owner, self._ttl_s]))

    def forgive(self, job_id: str, step: str) -> None:
        """This worker is about to leave in good order: what it holds did not kill it."""
        used = [key_names.claim(job_id, step), JobKeys(job_id).deliveries]
        with broker_errors():
            self._forgive(keys=used, args=[step, self._owner])

    def release(self, job_id: str, step: str, not_before: float = 0.0) -> None:
        """Give an unfinished step back, to be begun again not before a unix time."""
        names = JobKeys(job_id)
        used = [names.record, names.steps, key_names.claim(job_id, step), names.deliveries]
        with broker_errors():
            self._release(keys=used, args=[step, self._owner, not_before])

    def postpone(self, job_id: str, step: str) -> int:
        """Count that a step could not be worked on for lack of an engine; returns how often by now."""
        names = JobKeys(job_id)
        with broker_errors():
            return int(self._redis.hincrby(names.postponed, step, 1)) if self._known(names) else 0

    def set_plan(self, job_id: str, segments: Sequence[Segment]) -> bool:
        """Finish the plan: its segments become queued. False if that was done before or the job is gone."""
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, PLAN_STEP)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.events]
        plan = PLAN.dump_json(tuple(segments)).decode()
        with broker_errors():
            return bool(self._set_plan(keys=used, args=[self._owner, time.time(), plan, len(segments)]))

    def complete(self, job_id: str, step: str, frames: int) -> bool:
        """Finish a segment. True for exactly one caller per job: the last, who enqueues the finish."""
        names = JobKeys(job_id)
        claim = key_names.claim(job_id, step)
        used = [names.record, names.steps, names.done, claim, names.deliveries, names.frames]
        used += [names.events, names.workers]
        with broker_errors():
            return bool(self._complete(keys=used, args=[step, self._owner, time.time(), frames]))

    def drop(self, job_id: str, step: str) -> None:
        """Let go of a step of a job that is over."""
        with broker_errors():
            if self._redis.get(key_names.claim(job_id, step)) == self._owner:
                self._redis.delete(key_names.claim(job_id, step))

    def progress(self, job_id: str, step: str, frames: int, new: int, seconds: float) -> bool:
        """Record that ``new`` more frames took ``seconds``. False if the job is not running."""
        names = JobKeys(job_id)
        with broker_errors():
            args: list[str | int | float] = [step, frames, new, f"{seconds:.6f}", time.time()]
            return bool(self._progress(keys=[names.record, names.frames, names.events], args=args))

    def pending(self, job_id: str) -> dict[str, str]:
        """The steps still to do and their states, as in ``JobKeys.steps``."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).steps)
        return {str(step): str(state) for step, state in found.items()}

    def finished_by(self, job_id: str) -> dict[str, str]:
        """The finished segments' steps, each with the name of the worker that finished it."""
        with broker_errors():
            found = self._redis.hgetall(JobKeys(job_id).workers)
        return {str(step): str(worker) for step, worker in found.items()}

    def holder(self, job_id: str, step: str) -> str | None:
        """The owner of the claim on a step, if there is one."""
        with broker_errors():
            owner = self._redis.get(key_names.claim(job_id, step))
        return None if owner is None else str(owner)

    def requeue(self, job_id: str, step: str, seen: str, dead_owner: str | None = None) -> bool:
        """Mark a step as queued if its state is still ``seen`` and nobody (but ``dead_owner``) holds it."""
        names = JobKeys(job_id)
        with broker_errors():
            used = [names.record, names.steps, key_names.claim(job_id, step), names.deliveries]
            return bool(self._requeue(keys=used, args=[step, seen, dead_owner or "", time.time()]))

    def is_predecessor(self, owner: str) -> bool:
        """Whether ``owner`` is an earlier incarnation of this very worker, and so surely dead."""
        return owner != self._owner and owner.partition("/")[0] == self._owner.partition("/")[0]

    def _known(self, names: JobKeys) -> bool:
        return bool(self._redis.exists(names.record))
