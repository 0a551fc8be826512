"""What scripts may conclude from exit codes."""

from __future__ import annotations

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
