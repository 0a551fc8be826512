"""What scripts may conclude from exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.cli.exits import Exit, error_json, exit_code
from service.client.errors import (
    AddressUnusable,
    DownloadDamaged,
    RequestRejected,
    ServiceUnreachable,
    WaitTimedOut,
)
from service.errors.pipeline import PipelineError
from service.errors.video import NotAVideo


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PipelineError("the job failed"), Exit.FAILED),
        (OSError("no such file"), Exit.FAILED),
        (NotAVideo("text"), Exit.REFUSED),
        (RequestRejected("text", "not_a_video", 415), Exit.REFUSED),
        (RequestRejected("no such job", "job_not_found", 404), Exit.REFUSED),
        (RequestRejected("too many", "rate_limited", 429), Exit.UNAVAILABLE),
        (RequestRejected("no space", "storage_full", 507), Exit.UNAVAILABLE),
        (ServiceUnreachable("refused"), Exit.UNAVAILABLE),
        (AddressUnusable("no address"), Exit.UNAVAILABLE),
        (DownloadDamaged("other bytes"), Exit.UNAVAILABLE),
        (WaitTimedOut("still running"), Exit.TIMED_OUT),
    ],
)
def test_an_exit_code_tells_whether_asking_again_helps(error: Exception, code: Exit) -> None:
    assert exit_code(error) is code


def test_errors_as_json_have_the_services_code_and_status() -> None:
    assert error_json(RequestRejected("no such job", "job_not_found", 404)) == {
        "code": "job_not_found",
        "detail": "no such job",
        "status": 404,
    }
    assert error_json(OSError("disk"))["status"] is None


@pytest.mark.parametrize(("end", "code"), [("KeyboardInterrupt", 130), ("SystemExit(143)", 143)])
def test_a_signal_ends_the_process_with_what_was_said_and_no_more(end: str, code: int) -> None:
    """The interpreter's own tidying takes seconds where other work fills the processor."""
    script = f"""
import atexit
from service.cli import app
from service.cli.__main__ import run

def main():
    print("said")
    raise {end}

app.main = main
atexit.register(print, "tidied")
run()
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "said\n", "")
