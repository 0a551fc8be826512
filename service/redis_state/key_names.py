"""Every Redis key of the service, in one place."""

from __future__ import annotations

from dataclasses import dataclass

ALL_JOBS = "cdvd:jobs"
"""Sorted set of all job ids with score 0: ids start with their creation time, so the order is by age."""

WEBHOOKS_DUE = "cdvd:due:webhooks"
"""Sorted set of ``<job id> <event id>``, the deliveries to make, by the unix time at which each is due."""

WEBHOOKS_DEAD = "cdvd:webhooks:dead"
"""The same of those that were given up, by the time of that."""

API_KEYS = "cdvd:keys"
"""Sorted set of the prefixes of all keys, by the time of their creation."""

TENANTS = "cdvd:tenant:"
"""In front of what is a tenant's; scripts put its name behind."""

PARTIALS_DUE = "cdvd:due:partials"
"""Sorted set of canceled jobs whose finished segments are to be joined."""

EXPIRY_DUE = "cdvd:due:expiry"
"""Sorted set of finished jobs by the time at which their files go."""

FORGET_DUE = "cdvd:due:forget"
"""Sorted set of expired jobs by the time at which their records go."""

WORKERS = "cdvd:workers"
"""Sorted set of worker names by the unix time of their last heartbeat."""


def jobs_with(status: str) -> str:
    """Sorted set like ALL_JOBS of the jobs in one state."""
    return f"cdvd:jobs:{status}"


def jobs_of(tenant: str, status: str | None = None) -> str:
    """Sorted set like ALL_JOBS of one tenant's jobs, or of those in one state."""
    return f"{TENANTS}{tenant}:jobs:{status}" if status else f"{TENANTS}{tenant}:jobs"


def webhook_secret(tenant: str) -> str:
    """Signs the webhooks of a tenant."""
    return f"{TENANTS}{tenant}:webhook-secret"


def submission(tenant: str, idempotency_key: str) -> str:
    """``<fingerprint> <job id>`` of what was submitted under a client's key, for a day."""
    return f"{TENANTS}{tenant}:submission:{idempotency_key}"


def submission_lease(tenant: str, idempotency_key: str) -> str:
    """Held while such a submission is being accepted."""
    return f"{TENANTS}{tenant}:submission-lease:{idempotency_key}"


def api_key(prefix: str) -> str:
    """Hash: what a key may do, and the SHA-256 of its secret."""
    return f"cdvd:key:{prefix}"


def session(sha256: str) -> str:
    """Prefix of the key that a browser's session stands for; gone when the session is over."""
    return f"cdvd:session:{sha256}"


def submission_rate(prefix: str) -> str:
    """When a key has its whole rate again, unix seconds."""
    return f"cdvd:key:{prefix}:rate"


def worker(name: str) -> str:
    """Heartbeat of one worker, JSON; gone soon after the worker is."""
    return f"cdvd:worker:{name}"


def claim(job_id: str, step: str) -> str:
    """Who works on a step right now; gone soon after that worker is."""
    return f"cdvd:job:{job_id}:claim:{step}"


@dataclass(frozen=True)
class Account:
    """What an API key uses."""

    prefix: str

    @property
    def active(self) -> str:
        """Sorted set of its jobs that have not ended."""
        return f"cdvd:key:{self.prefix}:active"

    @property
    def used(self) -> str:
        """Bytes of its uploads and results that are kept."""
        return f"cdvd:key:{self.prefix}:bytes"

    @property
    def held(self) -> str:
        """Hash: token -> '<until> <bytes> <jobs>', what is reserved for submissions on their way."""
        return f"cdvd:key:{self.prefix}:held"


@dataclass(frozen=True)
class _Queue(Account):
    """The same of the whole installation, whose active jobs are those that wait."""

    prefix: str = ""

    @property
    def active(self) -> str:
        return jobs_with("queued")

    @property
    def used(self) -> str:
        return "cdvd:queue:bytes"

    @property
    def held(self) -> str:
        return "cdvd:queue:held"


QUEUE = _Queue()


@dataclass(frozen=True)
class JobKeys:
    """The keys of one job, apart from its claims."""

    job_id: str

    @property
    def record(self) -> str:
        """Hash: status, times, spec, plan, output, error, measured throughput."""
        return f"cdvd:job:{self.job_id}"

    @property
    def steps(self) -> str:
        """Hash of the steps still to do: step -> 'queued <time>' | 'waiting <not before>' | 'running'."""
        return f"{self.record}:steps"

    @property
    def done(self) -> str:
        """Set of the finished steps: they are never computed again."""
        return f"{self.record}:done"

    @property
    def frames(self) -> str:
        """Hash: step -> frames restored so far."""
        return f"{self.record}:frames"

    @property
    def workers(self) -> str:
        """Hash: segment step -> name of the worker that finished it."""
        return f"{self.record}:workers"

    @property
    def deliveries(self) -> str:
        """Hash: step -> times it was begun without coming back."""
        return f"{self.record}:deliveries"

    @property
    def postponed(self) -> str:
        """Hash: step -> times it was put off because the engine was away."""
        return f"{self.record}:postponed"

    @property
    def events(self) -> str:
        """Stream of state changes and progress."""
        return f"{self.record}:events"

    @property
    def webhooks(self) -> str:
        """Hash: id of an event -> its delivery, JSON."""
        return f"{self.record}:webhooks"

    def all(self) -> tuple[str, ...]:
        return (
            self.record,
            self.steps,
            self.done,
            self.frames,
            self.workers,
            self.deliveries,
            self.postponed,
            self.events,
            self.webhooks,
        )
