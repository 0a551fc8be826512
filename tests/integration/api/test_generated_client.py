"""A client that a generator makes from the OpenAPI document does what ours does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from service.client import Client
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack, until

pytestmark = pytest.mark.integration

CONFIG = Path(__file__).parents[3] / "docs" / "openapi-python-client.yml"
PACKAGE = "cdvd_client"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("generated")) as running:
        yield running


@pytest.fixture(scope="module")
def generated(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the service, with its package on the path of imports."""
    root = tmp_path_factory.mktemp("client")
    source, target = f"--url={service.url}/openapi.json", f"--output-path={root / 'project'}"
    command = [sys.executable, "-m", "openapi_python_client", "generate", source, target]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # for ruff, which it runs
    made = subprocess.run(
        [*command, f"--config={CONFIG}", "--fail-on-warning"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": path, "NO_PROXY": "*"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in (made.stdout + made.stderr).lower()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "project")
        client = import_module(PACKAGE).Client(base_url=service.url, raise_on_unexpected_status=True)
        with client, closing(client.get_httpx_client()):
            yield client


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", Clip(frames=6))


def call(client: Any, name: str, *arguments: Any, **named: Any) -> Any:
    """The answer of the call that ``name`` (``jobs.create_job``) stands for, as an object."""
    function: Call = import_module(f"{PACKAGE}.api.{name}").sync_detailed
    return function(*arguments, client=client, **named)


def model(name: str, **fields: Any) -> Any:
    return getattr(import_module(f"{PACKAGE}.models"), name)(**fields)


def file(payload: bytes, name: str | None = None) -> Any:
    return import_module(f"{PACKAGE}.types").File(BytesIO(payload), name, "video/mp4")


def until_succeeded(client: Any, job_id: str) -> Any:
    def ended() -> Any:
        job = call(client, "jobs.get_job", job_id).parsed
        return None if job.status in ("queued", "running") else job

    job = until(ended, "the job ends")
    assert job.status == "succeeded", job.error
    return job


def test_video_comes_back_as_with_our_client(
    service: Service, generated: Any, clip: Path, tmp_path: Path
) -> None:
    codec = import_module(f"{PACKAGE}.models").Codec.HEVC
    form = model("JobForm", video=file(clip.read_bytes(), clip.name), model=QUICK, codec=codec, strict=True)

    sent = call(generated, "jobs.create_job", body=form)
    job = until_succeeded(generated, sent.parsed.id)
    video = call(generated, "files.download_result", job.id).parsed.payload.read()

    assert sent.status_code == 202
    assert (job.input_.filename, job.options.codec, job.progress.frames_done) == ("clip.mp4", codec, 6)
    with Client(service.url) as ours:
        again = ours.submit(clip, options={"model": QUICK, "codec": "hevc", "strict": "true"})
        ours.wait(again.id)
        ours.download(again.id, tmp_path / "ours.mp4")
        ours.download(job.id, tmp_path / "theirs.mp4")
    assert video == (tmp_path / "ours.mp4").read_bytes() == (tmp_path / "theirs.mp4").read_bytes()


def test_resumable_upload_becomes_a_job_with_report_and_pictures(generated: Any, clip: Path) -> None:
    version = import_module(f"{PACKAGE}.models").TusResumable.VALUE_0
    data = clip.read_bytes()
    begun = call(
        generated,
        "uploads.create_upload",
        body=file(data[:100]),
        tus_resumable=version,
        upload_length=str(len(data)),
    )
    upload_id = begun.headers["location"].rpartition("/")[2]
    call(
        generated,
        "uploads.append_to_upload",
        upload_id,
        body=file(data[100:]),
        tus_resumable=version,
        upload_offset="100",
    )

    job = call(generated, "jobs.create_job", body=model("JobForm", upload=upload_id, model=QUICK)).parsed
    until_succeeded(generated, job.id)

    report = call(generated, "files.get_report", job.id).parsed
    assert (report.job, report.frames_out, report.model.name) == (job.id, 6, QUICK)
    picture = call(generated, "files.get_preview", job.id, 3).parsed.payload.read()
    assert picture.startswith(b"\xff\xd8")


def test_refusal_is_an_object_with_its_code(generated: Any) -> None:
    refused = call(generated, "jobs.get_job", "0" * 32)
    assert (refused.status_code, refused.parsed.code) == (404, "job_not_found")
    described = model("EstimateRequest", width=640, height=360, frames=48)
    assert call(generated, "jobs.create_estimate", body=described).parsed.frames == 48
