"""What Prometheus sees of a service at work."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.jobs.test_faults import child, steps, until_started
from tests.support.clips import Clip, write_clip
from tests.support.stack import Service, paced_stack, running_stack

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def figures(text: str) -> dict[str, float]:
    """``name{label="value"}`` -> value."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        sample.name + "".join(f"/{label}" for _, label in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


def gateway(service: Service) -> dict[str, float]:
    answer = service.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return figures(answer.text)


def test_a_job_is_seen_in_the_figures_of_gateway_and_worker(tmp_path: Path) -> None:
    port = free_port()
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=24))
    settings = {"CDVD_METRICS_PORT": str(port), "CDVD_SEGMENT_FRAMES": "8"}
    with running_stack(tmp_path, settings) as service:
        service.until_status(service.submit(clip), "succeeded")
        refused = service.post(Path(__file__))
        seen = gateway(service)
        worker = figures(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)

    assert refused.status_code == 415
    assert seen["cdvd_broker_up"] == 1
    assert seen["cdvd_workers"] == 1
    assert seen["cdvd_jobs/succeeded"] == 1
    assert seen["cdvd_jobs/running"] == 0
    assert seen["cdvd_queue_depth/cdvd.segments"] == 0
    assert seen["cdvd_uploads_total/accepted"] == 1
    assert seen["cdvd_uploads_total/not_a_video"] == 1
    assert seen["cdvd_upload_bytes_total"] > clip.stat().st_size
    assert worker["cdvd_frames_restored_total"] == 24
    assert worker["cdvd_steps_total/done/plan"] == 1
    assert worker["cdvd_steps_total/done/segment"] == 3
    assert worker["cdvd_steps_total/done/finish"] == 1
    assert worker["cdvd_engine_seconds_count"] >= 3
    for stage in ("decode", "inference", "encode", "join"):
        assert worker[f"cdvd_stage_seconds_sum/{stage}"] > 0


def test_how_long_news_and_pictures_take_is_seen(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=24))
    with running_stack(tmp_path, {"CDVD_SEGMENT_FRAMES": "12"}) as service:
        job_id = service.submit(clip)
        followed = service.http.get(f"/jobs/{job_id}/events").text
        again = service.http.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "0-0"}).text
        service.http.get(f"/jobs/{job_id}/preview/0.jpg")
        seen = gateway(service)

    assert again == followed
    events = followed.count("event: ")
    assert 0 < seen["cdvd_event_lag_seconds_count"] <= events  # those of the replay are not among them
    assert seen["cdvd_event_lag_seconds_sum"] < 5 * events
    assert seen["cdvd_preview_seconds_count"] == 1


def test_waiting_work_is_seen_as_queue_depth(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=48))
    with paced_stack(tmp_path, {"CDVD_SEGMENT_FRAMES": "12"}) as service:
        job_id = service.submit_held(clip)
        until_started(service, job_id, "segment:0")

        assert gateway(service)["cdvd_queue_depth/cdvd.segments"] == 3
        assert gateway(service)["cdvd_jobs/running"] == 1


def test_worker_that_is_told_to_stop_finishes_its_segment_first(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=24))
    settings = {"CDVD_SEGMENT_FRAMES": "12", "CDVD_DRAIN_S": "60"}
    with paced_stack(tmp_path, settings) as service:
        job_id = service.submit_held(clip)
        until_started(service, job_id, "segment:0")
        worker = child("service.worker")
        os.kill(worker.pid, signal.SIGTERM)
        service.pace.release()
        psutil.wait_procs([worker], timeout=240)

        service.until_status(job_id, "succeeded")

        started = steps(service, job_id, "step_started")
        assert started["segment:0"] == 1
        assert started["segment:1"] == 1
