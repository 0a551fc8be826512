"""No process of an older release touches the data of a newer one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors.startup import DataVersionUnsupported
from service.local.data_version import FILE, newest
from tests.support.command import complaint, run
from tests.support.stack import QUICK, running_stack, write_models

pytestmark = pytest.mark.integration


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The data directory of a release to come."""
    data = tmp_path / "data"
    (data / "redis").mkdir(parents=True)
    (data / FILE).write_text(f'{{"layout": {newest() + 1}}}')
    return data


def test_the_embedded_service_stamps_its_directory(tmp_path: Path) -> None:
    with running_stack(tmp_path) as service:
        assert (service.data / FILE).is_file()


def test_the_embedded_service_refuses(newer: Path, tmp_path: Path) -> None:
    options = EmbeddedOptions(data=newer, models=write_models(tmp_path / "models"), model=QUICK)
    with pytest.raises(DataVersionUnsupported), EmbeddedStack(options):
        pass


@pytest.mark.parametrize("arguments", [("up", "--port", "0"), ("keys", "list")])
def test_commands_refuse_with_one_line(newer: Path, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments, "--data", newer)
    assert ran.returncode == 1
    assert "newer cdvd" in complaint(ran)
    assert list((newer / "redis").iterdir()) == []


@pytest.mark.parametrize("module", ["service.api", "service.worker"])
def test_gateway_and_worker_refuse_with_one_line(newer: Path, module: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, "CDVD_DATA": str(newer), "CDVD_REDIS_URL": "redis://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "newer cdvd" in complaint(ran)
