"""The OpenAPI document against the running service: Schemathesis finds nothing that it does not say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration

EXAMPLES = "15"
HOOKS = """
import schemathesis

@schemathesis.serializer("application/offset+octet-stream")
def raw(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
"""
CONFIG = """
# The schema of a file cannot say that its bytes are a video, nor that options fit to each other and to the video.
[[operations]]
include-name = ["POST /jobs", "POST /estimates", "POST /upload-tokens"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 409, 415, 422]

# tus 1.0 asks for 412 where its version is not named, and for 413 and 460 where bytes are too many or others.
[[operations]]
include-path-regex = "^/uploads"
checks.negative_data_rejection.expected-statuses = [400, 404, 405, 409, 412, 413, 415, 422, 423, 460]
checks.missing_required_header.expected-statuses = [400, 404, 412, 422]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 409, 412, 413, 415, 460]

# Nor can it say where a file ends, and a range of none of its bytes is 400 or 416.
[[operations]]
include-path-regex = "(result|source)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 416]

# While a video is being made, the answer is 202, whatever range of it was asked for.
[[operations]]
include-path-regex = "side-by-side"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 416]
checks.negative_data_rejection.expected-statuses = [202, 400, 404, 416]

[[operations]]
include-path-regex = "job_id"
parameters = {{ "path.job_id" = "{job}", "path.frame" = 3 }}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("contract")) as running:
        yield running


def explore(service: Service, job_id: str, where: Path, *options: str) -> None:
    """Requests that fit the document and requests that do not, each answer compared with what it promises."""
    (where / "hooks.py").write_text(HOOKS)
    (where / "schemathesis.toml").write_text('hooks = "hooks.py"\n' + CONFIG.format(job=job_id))
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", *options]
    switches = ["--exclude-path-regex", "^/admin/(intake|.*/drain)"]  # a closed one refuses what follows
    fixed = ["--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--generation-database", "none"]
    run = subprocess.run(
        [*command, *switches, *fixed], cwd=where, capture_output=True, text=True, timeout=540
    )
    assert run.returncode == 0, run.stdout[run.stdout.find("= FAILURES") :][:8000] + run.stderr[-2000:]


def test_no_answer_is_undocumented(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "clip.mp4", Clip(frames=6)), model=QUICK)
    service.until_status(job_id, "succeeded")

    explore(service, job_id, tmp_path, "--exclude-method", "DELETE")


def test_no_answer_about_a_deleted_job_is_undocumented(service: Service, tmp_path: Path) -> None:
    explore(service, "0" * 32, tmp_path)
