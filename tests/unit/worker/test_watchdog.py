"""The watchdog knows the steps in work and which of them hang."""

from __future__ import annotations

from service.worker.watchdog import Watchdog


def test_steps_are_known_while_they_are_in_work() -> None:
    watchdog = Watchdog(stall_timeout_s=3600.0)

    with watchdog.watching("job", "segment:0"):
        assert watchdog.steps() == [("job", "segment:0")]
    assert watchdog.steps() == []


def test_only_steps_without_progress_for_too_long_hang() -> None:
    patient, strict = Watchdog(stall_timeout_s=3600.0), Watchdog(stall_timeout_s=-1.0)

    with patient.watching("job", "segment:0"), strict.watching("job", "segment:0") as touch:
        touch()
        assert patient.stalled() == []
        assert strict.stalled() == [("job", "segment:0")]
