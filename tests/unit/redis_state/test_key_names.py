"""Key names are what running installations have in their Redis; all of them come from one module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import service
from service.redis_state import key_names
from service.redis_state.key_names import QUEUE, Account, JobKeys

SOURCES = Path(service.__file__).parent
KEY = re.compile(r"cdvd:[a-z{<]|cdvd\.(short|segments)\b")


def test_no_other_source_spells_a_key() -> None:
    home = Path(key_names.__file__)
    others = [path for path in SOURCES.rglob("*.py") if path != home]

    assert len(others) > 100
    assert [str(path) for path in others if KEY.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (key_names.ALL_JOBS, "cdvd:jobs"),
        (key_names.jobs_with("queued"), "cdvd:jobs:queued"),
        (key_names.jobs_of("a"), "cdvd:tenant:a:jobs"),
        (key_names.jobs_of("a", "queued"), "cdvd:tenant:a:jobs:queued"),
        (key_names.webhook_secret("a"), "cdvd:tenant:a:webhook-secret"),
        (key_names.submission("a", "k"), "cdvd:tenant:a:submission:k"),
        (key_names.submission_lease("a", "k"), "cdvd:tenant:a:submission-lease:k"),
        (key_names.API_KEYS, "cdvd:keys"),
        (key_names.api_key("p"), "cdvd:key:p"),
        (key_names.submission_rate("p"), "cdvd:key:p:rate"),
        (Account("p").active, "cdvd:key:p:active"),
        (Account("p").used, "cdvd:key:p:bytes"),
        (Account("p").held, "cdvd:key:p:held"),
        (QUEUE.active, "cdvd:jobs:queued"),
        (QUEUE.used, "cdvd:queue:bytes"),
        (QUEUE.held, "cdvd:queue:held"),
        (key_names.session("d"), "cdvd:session:d"),
        (key_names.WORKERS, "cdvd:workers"),
        (key_names.worker("w"), "cdvd:worker:w"),
        (key_names.claim("j", "segment:0"), "cdvd:job:j:claim:segment:0"),
        (key_names.WEBHOOKS_DUE, "cdvd:due:webhooks"),
        (key_names.WEBHOOKS_DEAD, "cdvd:webhooks:dead"),
        (key_names.PARTIALS_DUE, "cdvd:due:partials"),
        (key_names.EXPIRY_DUE, "cdvd:due:expiry"),
        (key_names.FORGET_DUE, "cdvd:due:forget"),
        (key_names.THROUGHPUT, "cdvd:throughput"),
        (key_names.RESULT_SIZES, "cdvd:result_size"),
        (key_names.READY_SHORT, "cdvd:ready:short"),
        (key_names.READY_TENANTS, "cdvd:ready:tenants"),
        (key_names.TENANTS_USED, "cdvd:ready:used"),
        (key_names.ready_jobs("a"), "cdvd:tenant:a:ready"),
        (key_names.SHORT_QUEUE, "cdvd.short"),
        (key_names.SEGMENT_QUEUE, "cdvd.segments"),
    ],
)
def test_names_stay_as_installations_have_them(name: str, expected: str) -> None:
    assert name == expected


def test_keys_of_a_job_are_its_record_and_names_below_it() -> None:
    below = ("steps", "ready", "done", "frames", "workers", "deliveries", "postponed", "events", "webhooks")

    assert JobKeys("j").all() == ("cdvd:job:j", *(f"cdvd:job:j:{name}" for name in below))
