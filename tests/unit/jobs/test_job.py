from __future__ import annotations

import time

import pytest

from service.jobs.job import JOB_ID, TRANSITIONS, JobStatus, new_job_id, sources_of
from service.jobs.queue import create_celery
from service.jobs.step_names import segment_index, segment_step


def test_ids_sort_by_age_and_are_all_different() -> None:
    ids = []
    for _ in range(3):
        ids.append(new_job_id())
        time.sleep(0.002)  # ids of one millisecond have no order

    assert ids == sorted(set(ids))
    assert all(JOB_ID.fullmatch(job_id) for job_id in ids)


def test_success_only_expires_and_every_other_end_can_be_retried() -> None:
    assert TRANSITIONS[JobStatus.SUCCEEDED] == {JobStatus.EXPIRED}
    assert sources_of(JobStatus.QUEUED) == {JobStatus.FAILED, JobStatus.CANCELED}
    assert set(TRANSITIONS) == set(JobStatus)


def test_segment_steps_carry_their_index() -> None:
    assert segment_index(segment_step(12)) == 12


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://host:6379/3", "redis://host:6379/3"),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
    ],
)
def test_one_redis_address_serves_both_clients(url: str, broker: str) -> None:
    assert create_celery(url).conf.broker_url == broker
