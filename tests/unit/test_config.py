from __future__ import annotations

from pathlib import Path

import pytest

from service.config import Settings
from service.redis_state.connection import with_password


def test_password_from_a_file_is_part_of_the_broker_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cdvd_redis_password").write_text("pass/word7\n")
    monkeypatch.setenv("CDVD_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CDVD_REDIS_URL", "redis://redis:6379/0")

    settings = Settings()

    assert settings.broker == "redis://:pass%2Fword7@redis:6379/0"
    assert "word7" not in repr(settings)


def test_environment_goes_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdvd_model").write_text("from_a_file")
    monkeypatch.setenv("CDVD_SECRETS_DIR", str(tmp_path))
    assert Settings().model == "from_a_file"

    monkeypatch.setenv("CDVD_MODEL", "from_the_environment")

    assert Settings().model == "from_the_environment"


def test_machine_without_secrets_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDVD_SECRETS_DIR", str(tmp_path / "missing"))

    assert Settings().broker == Settings().redis_url


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("redis://127.0.0.1", "redis://:pw@127.0.0.1"),
        ("rediss://worker@redis.example.org:6380/2", "rediss://worker:pw@redis.example.org:6380/2"),
        ("redis://[::1]:6379/0", "redis://:pw@[::1]:6379/0"),
    ],
)
def test_password_goes_where_the_client_looks_for_it(url: str, complete: str) -> None:
    assert with_password(url, "pw") == complete


@pytest.mark.parametrize("url", ["redis://:other@redis", "unix:///run/redis.sock?db=0"])
def test_address_that_takes_no_password_of_its_own_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="hold none"):
        with_password(url, "pw")
