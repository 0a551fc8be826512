"""What a supervisor does with children that end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from service.errors.startup import StackFailed
from service.local.children import Child, ChildSpec
from service.local.supervisor import SupervisedChild, Supervisor
from tests.support.stack import until

PATIENCE_S = 60.0


def test_a_child_that_cannot_work_here_is_not_started_again(tmp_path: Path) -> None:
    program = f"print('no such device', flush=True); raise SystemExit({os.EX_CONFIG})"
    child = Child(ChildSpec("worker", [sys.executable, "-c", program], tmp_path / "worker.log"))
    supervisor = Supervisor([SupervisedChild(child)])
    supervisor.start()
    try:
        with pytest.raises(StackFailed, match=r"worker cannot work here(?s:.*)no such device"):
            supervisor.wait(PATIENCE_S)
    finally:
        supervisor.stop()
    assert (tmp_path / "worker.log").read_text().count("no such device") == 1


def test_a_child_that_is_started_again_finds_the_settings_of_its_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDVD_SEGMENT_FRAMES", "12")
    program = "import os, time; print(os.environ.get('CDVD_SEGMENT_FRAMES'), flush=True); time.sleep(600)"
    child = Child(ChildSpec("worker", [sys.executable, "-c", program], tmp_path / "worker.log"))
    monkeypatch.delenv("CDVD_SEGMENT_FRAMES")
    try:
        for starts in (1, 2):
            child.start()
            until(
                lambda starts=starts: child.log_tail().splitlines() == ["12"] * starts,
                "the child's first line",
            )
            child.kill()
    finally:
        child.stop()


def test_a_large_log_is_set_aside_while_its_child_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.local.children.LOG_BYTES", 2000)
    log, old, go = tmp_path / "worker.log", tmp_path / "worker.old.log", tmp_path / "go"
    program = "\n".join(
        (
            "import sys, time, pathlib",
            "sys.stdout.write('before\\n' * 500), sys.stdout.flush()",
            f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)",
            "print('after', flush=True), time.sleep(600)",
        )
    )
    supervisor = Supervisor(
        [SupervisedChild(Child(ChildSpec("worker", [sys.executable, "-c", program], log)))]
    )
    supervisor.start()
    try:
        until(lambda: old.is_file() and log.stat().st_size == 0, "the log set aside")
        go.touch()
        until(lambda: log.stat().st_size, "the line after that")
        assert log.read_text() == "after\n"
        assert old.read_text() == "before\n" * 500
    finally:
        supervisor.stop()
