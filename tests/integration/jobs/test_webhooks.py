from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import psutil
import pytest
from standardwebhooks import Webhook

from service.webhooks.signature import new_secret
from tests.support.clips import AUDIO_RATE, Clip, read_packets, write_clip
from tests.support.receiver import receiver
from tests.support.stack import QUICK, paced_stack, running_stack, until

pytestmark = pytest.mark.integration
SECRET = new_secret()
SETTINGS = {
    "CDVD_WEBHOOK_SECRET": SECRET,
    "CDVD_WEBHOOK_FIRST_DELAY_S": "0.05",
    "CDVD_WEBHOOK_ALLOW_PRIVATE": "true",
    "CDVD_SEGMENT_FRAMES": "8",
    "CDVD_WINDOW_FRAMES": "2",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with paced_stack(tmp_path_factory.mktemp("webhooks"), SETTINGS) as running:
        yield running


def test_a_webhook_is_tried_again_until_it_is_taken(service, tmp_path):
    with receiver() as hook:
        hook.answers = [500, 503]
        job = service.submit(
            write_clip(tmp_path / "a.mp4", Clip(frames=8)), model=QUICK, webhook_url=hook.url
        )
        service.until_status(job, "succeeded")
        until(lambda: len(hook.received) == 3, "three attempts")
    assert len({request.headers["webhook-id"] for request in hook.received}) == 1
    assert len({request.body for request in hook.received}) == 1
    told = Webhook(SECRET).verify(hook.received[-1].body, hook.received[-1].headers)
    assert (told["type"], told["data"]["id"]) == ("job.succeeded", job)
    assert told["data"]["output"]["sha256"] == service.job(job)["output"]["sha256"]
    events = service.http.get(f"/jobs/{job}/events").text
    assert f"id: {told['data']['event_id']}" in events
    answer = until(
        lambda: (
            (d := service.http.get(f"/jobs/{job}/webhooks").json()["deliveries"][0])["state"] == "delivered"
            and d
        ),
        "delivered",
    )
    assert answer["attempts"] == 3


def test_a_receiver_that_is_gone_makes_a_dead_letter_that_can_be_sent_again(service, tmp_path):
    with receiver() as hook:
        hook.answers = [410]
        job = service.submit(
            write_clip(tmp_path / "b.mp4", Clip(frames=8)), model=QUICK, webhook_url=hook.url
        )

        def dead():
            found = service.http.get(f"/jobs/{job}/webhooks").json()["deliveries"]
            return found and found[0]["state"] == "dead" and found[0]

        letter = until(dead, "a dead letter")
        (listed,) = [
            one for one in service.http.get("/webhooks/dead").json()["deliveries"] if one["job"] == job
        ]
        assert {name: listed[name] for name in letter} == letter
        again = service.http.post(f"/jobs/{job}/webhooks/{letter['event_id']}/resend")
        assert again.status_code == 202, again.text
        until(lambda: len(hook.received) == 2, "a second attempt")
    assert json.loads(hook.received[1].body)["type"] == "job.succeeded"
    assert job not in {one["job"] for one in service.http.get("/webhooks/dead").json()["deliveries"]}
    assert service.http.post(f"/jobs/{job}/webhooks/1-1/resend").status_code == 404


def test_a_canceled_job_keeps_its_beginning_and_goes_on_from_there(service, tmp_path):
    clip = write_clip(tmp_path / "c.mp4", Clip(frames=32, audio="aac"))
    job = service.submit_held(clip)
    service.let_frames(job, 9)
    service.http.post(f"/jobs/{job}/cancel")
    output = until(lambda: service.job(job)["output"], "a partial result")
    assert output["partial"]
    assert output["frames"] % 8 == 0
    assert 8 <= output["frames"] < 32
    video = service.http.get(f"/jobs/{job}/result")
    assert video.status_code == 200
    assert len(video.content) == output["bytes"]
    service.pace.release()
    assert service.http.post(f"/jobs/{job}/retry").status_code == 202
    done = service.until_status(job, "succeeded")
    assert (done["output"]["frames"], done["output"]["partial"]) == (32, False)
    assert begun(service, job)["segment:0"] == 1


def begun(service, job):
    """How often each step was begun."""
    lines = service.http.get(f"/jobs/{job}/events").text.splitlines()
    started = (data for event, data in pairwise(lines) if event == "event: step_started")
    return Counter(json.loads(data.removeprefix("data: "))["step"] for data in started)


def newest_worker():
    """That of the stack that was started last."""
    workers = (one for one in psutil.Process().children() if "service.worker" in one.cmdline())
    return max(workers, key=psutil.Process.create_time)


def test_a_worker_that_dies_while_it_delivers_is_followed_by_another(tmp_path):
    settings = {**SETTINGS, "CDVD_WEBHOOK_TIMEOUT_S": "1"}  # a delivery is lent for three times as long
    with receiver() as hook, running_stack(tmp_path, settings) as service:
        hook.hold.clear()
        clip = write_clip(tmp_path / "d.mp4", Clip(frames=8))
        job = service.submit(clip, model=QUICK, webhook_url=hook.url)
        until(lambda: hook.received, "the first attempt")
        newest_worker().kill()
        hook.hold.set()
        until(lambda: len(hook.received) >= 2, "an attempt of the next worker")
        until(
            lambda: service.http.get(f"/jobs/{job}/webhooks").json()["deliveries"][0]["state"] == "delivered",
            "its delivery",
        )
    assert len({request.headers["webhook-id"] for request in hook.received}) == 1
    assert len({request.body for request in hook.received}) == 1


def test_sound_of_a_partial_result_ends_with_its_last_frame(service, tmp_path):
    job = service.submit_held(write_clip(tmp_path / "e.mp4", Clip(frames=32, audio="aac")))
    service.let_frames(job, 9)
    service.http.post(f"/jobs/{job}/cancel")
    output = until(lambda: service.job(job)["output"], "a partial result")
    result = tmp_path / "partial.mp4"
    result.write_bytes(service.http.get(f"/jobs/{job}/result").content)
    last_packet = read_packets(result, "audio")[-1][0]
    end = output["frames"] / 25
    assert end - 2 * 1024 / AUDIO_RATE <= last_packet < end
