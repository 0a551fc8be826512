from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client import context_managers

from service.metrics import GATEWAY, WORKER, render, served, timed


def stage(name: str, figure: str) -> float:
    return WORKER.get_sample_value(f"cdvd_stage_seconds_{figure}", {"stage": name}) or 0.0


def test_items_pass_through_and_their_time_counts_for_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(context_managers, "default_timer", lambda: now)

    def slow() -> object:
        nonlocal now
        for number in range(3):
            now += 0.01
            yield number

    before = stage("a_stage", "sum")
    passed = []
    for number in timed(slow(), "a_stage"):  # type: ignore[arg-type]
        passed.append(number)
        now += 0.05  # the consumer's own time

    assert passed == [0, 1, 2]
    assert stage("a_stage", "sum") - before == pytest.approx(0.03)


def test_worker_metrics_are_served_while_the_block_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/metrics"

    with served("127.0.0.1", port):
        text = urllib.request.urlopen(url, timeout=5).read().decode()

    assert "cdvd_frames_restored_total" in text
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_gateway_does_not_show_what_only_workers_count() -> None:
    assert b"cdvd_frames" not in render(GATEWAY)
    assert b"cdvd_upload" not in render(WORKER)
