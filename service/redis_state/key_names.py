"""Every Redis key of the service, in one place: what is stored under it, and for how long.

Scripts format key names from here as well (``service.redis_state.scripts``). Times are unix seconds. Celery adds keys.
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_JOBS = "cdvd:jobs"
"""Sorted set of all job ids with score 0. Ids start with their creation time, so the order is by age."""

WEBHOOKS_DUE = "cdvd:due:webhooks"
"""Sorted set of the deliveries to make, ``<job id> <event id>``, by the time at which each is due."""

WEBHOOKS_DEAD = "cdvd:webhooks:dead"
"""Sorted set of the deliveries that were given up, ``<job id> <event id>``, by the time of the last attempt."""

API_KEYS = "cdvd:keys"
"""Sorted set of the prefixes of all API keys, by the time of their creation."""

PARTIALS_DUE = "cdvd:due:partials"
"""Sorted set of canceled jobs whose finished segments are to be joined, by the time at which each is due."""

EXPIRY_DUE = "cdvd:due:expiry"
"""Sorted set of finished jobs by the time at which their files are removed."""

SIDE_BY_SIDE_DUE, FETCHES_DUE, OUTPUTS_DUE = "cdvd:due:side-by-side", "cdvd:due:fetches", "cdvd:due:outputs"
"""Sorted sets of jobs by the time at which something is due: a video beside the upload, fetching one, sending one."""

FORGET_DUE = "cdvd:due:forget"
"""Sorted set of expired jobs by the time at which their records are removed."""

WORKERS = "cdvd:workers"
"""Sorted set of worker names by the time of their last heartbeat."""

INTAKE_CLOSED = "cdvd:intake:closed"
"""Exists while no new work is taken."""

WORKERS_DRAINING = "cdvd:workers:draining"
"""Set of the names of workers that are to begin no more steps."""

THROUGHPUT = "cdvd:throughput"
"""Hash: ``<model>|<engine>`` or ``<model>|<engine>@<device>`` -> average pixels per second of one segment."""

RESULT_SIZES = "cdvd:result_size"
"""Hash: ``<codec>|<crf>`` -> average bytes of a result per pixel of its frames."""

SHORT_QUEUE = "cdvd.short"
"""List of Celery's messages for plans and finishes, which take seconds: they do not wait behind an hour of work."""

SEGMENT_QUEUE = "cdvd.segments"
"""List of Celery's messages for segments."""

READY_SHORT = "cdvd:ready:short"
"""Sorted set of the plans and joins that may be begun, ``<job id> <step>``, by the creation of their job."""

READY_TENANTS = "cdvd:ready:tenants"
"""Set of the tenants with segments that may be begun."""

TENANTS_USED = "cdvd:ready:used"
"""Hash: tenant -> ``<work> <time>``, the work that was begun for it until then, older work counting less."""


def ready_jobs(tenant: str) -> str:
    """Returns the sorted set of a tenant's jobs with segments that may be begun, by their places: the least first."""
    return f"cdvd:tenant:{tenant}:ready"


def jobs_with(status: str) -> str:
    """Returns the sorted set of the ids of all jobs in one state, as ALL_JOBS is of all."""
    return f"cdvd:jobs:{status}"


def jobs_of(tenant: str, status: str | None = None) -> str:
    """Returns the sorted set of the ids of a tenant's jobs, or of those in one state, as ALL_JOBS is of all."""
    return f"cdvd:tenant:{tenant}:jobs:{status}" if status else f"cdvd:tenant:{tenant}:jobs"


def webhook_secret(tenant: str) -> str:
    """Returns the key of the secret that signs the webhooks of a tenant."""
    return f"cdvd:tenant:{tenant}:webhook-secret"


def submission(tenant: str, idempotency_key: str) -> str:
    """Returns the key of what was submitted under an ``Idempotency-Key``: ``<fingerprint> <job id>``, for a day."""
    return f"cdvd:tenant:{tenant}:submission:{idempotency_key}"


def submission_lease(tenant: str, idempotency_key: str) -> str:
    """Returns the key of the lock that is held while such a submission is being accepted."""
    return f"cdvd:tenant:{tenant}:submission-lease:{idempotency_key}"


def api_key(prefix: str) -> str:
    """Returns the key of a hash: what an API key may do (``about``, JSON), and the SHA-256 of its secret."""
    return f"cdvd:key:{prefix}"


def session(sha256: str) -> str:
    """Returns the key of the prefix of the API key that a browser's session stands for; it expires with the session."""
    return f"cdvd:session:{sha256}"


def submission_rate(prefix: str) -> str:
    """Returns the key of the time at which an API key may submit at its full rate again."""
    return f"cdvd:key:{prefix}:rate"


def upload_token(token_id: str) -> str:
    """Returns the key of a hash: what an upload token is good for (``grant``, JSON), the SHA-256 of its secret, and the
    ids of its ``upload`` and its ``job``; it expires with the token."""
    return f"cdvd:upload-token:{token_id}"


def token_rate(token_id: str) -> str:
    """Returns the key of the time at which an upload token may try to make its job again; it expires in a minute."""
    return f"cdvd:upload-token:{token_id}:rate"


def worker(name: str) -> str:
    """Returns the key of the heartbeat of a worker, JSON; it expires soon after the worker ended."""
    return f"cdvd:worker:{name}"


def side_by_side(job_id: str) -> str:
    """Returns the key of the frames that a job's video beside its upload has so far, or ``failed``; it expires."""
    return f"cdvd:job:{job_id}:side-by-side"


def claim(job_id: str, step: str) -> str:
    """Returns the key of the claim on a step: its owner, ``<worker name>/<incarnation>``; it expires soon after the
    owner ended."""
    return f"cdvd:job:{job_id}:claim:{step}"


@dataclass(frozen=True)
class Account:
    """The keys under which the use of one API key is counted."""

    prefix: str

    @property
    def active(self) -> str:
        """Sorted set of the key's jobs that have not ended, with score 0."""
        return f"cdvd:key:{self.prefix}:active"

    @property
    def used(self) -> str:
        """Bytes of the key's uploads and results that are kept."""
        return f"cdvd:key:{self.prefix}:bytes"

    @property
    def held(self) -> str:
        """Hash: token -> ``<until> <bytes> <jobs>``, what is reserved for a submission on its way."""
        return f"cdvd:key:{self.prefix}:held"


@dataclass(frozen=True)
class _Queue(Account):
    """The same counts for the whole installation, where the active jobs are those that wait."""

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
    """The keys of one job, except its claims. All are deleted with the job."""

    job_id: str

    @property
    def record(self) -> str:
        """Hash: status, times, spec, plan, output, error, measured speed, crashes, handover, bytes of transfers."""
        return f"cdvd:job:{self.job_id}"

    @property
    def steps(self) -> str:
        """Hash of the steps still to do: step -> ``queued <time>``, ``waiting <not before>`` or ``running``."""
        return f"{self.record}:steps"

    @property
    def ready(self) -> str:
        """Sorted set of the segment steps that may be begun, by their number."""
        return f"{self.record}:ready"

    @property
    def done(self) -> str:
        """Set of the finished steps, which are never computed again."""
        return f"{self.record}:done"

    @property
    def frames(self) -> str:
        """Hash: step -> number of frames restored so far."""
        return f"{self.record}:frames"

    @property
    def workers(self) -> str:
        """Hash: segment step -> its worker; ``<step> device`` -> where and why; ``<step> plan`` -> memory plan."""
        return f"{self.record}:workers"

    @property
    def deliveries(self) -> str:
        """Hash: step -> how often it was begun without coming back."""
        return f"{self.record}:deliveries"

    @property
    def postponed(self) -> str:
        """Hash: step -> how often it was postponed because the engine or the object store was unavailable."""
        return f"{self.record}:postponed"

    @property
    def events(self) -> str:
        """Stream of state changes and progress (``service.jobs.events``)."""
        return f"{self.record}:events"

    @property
    def webhooks(self) -> str:
        """Hash: id of an event -> its webhook delivery, JSON."""
        return f"{self.record}:webhooks"

    def all(self) -> tuple[str, ...]:
        """Returns every key of the job."""
        return (
            self.record,
            self.steps,
            self.ready,
            self.done,
            self.frames,
            self.workers,
            self.deliveries,
            self.postponed,
            self.events,
            self.webhooks,
        )
