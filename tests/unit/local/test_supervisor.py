"""What a supervisor does with children that end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from service.errors.startup import StackFailed
from service.local.children import Child, ChildSpec
from service.local.supervisor import SupervisedChild, Supervisor

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
