"""What tests of the client share."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.client import executor, retry_policy
from service.client.jobs import watching
from tests.unit.client.services import VIDEO, Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time passes when the client sleeps."""
    fake = Clock()
    for module in (executor, retry_policy, watching):
        monkeypatch.setattr(module, "time", fake)
    return fake


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "shaky clip.mp4"
    path.write_bytes(VIDEO)
    return path
