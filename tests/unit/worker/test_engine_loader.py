from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from service.config import Settings
from service.distribution import install_command
from service.errors.engine import EngineUnavailable
from service.errors.startup import RequirementMissing
from service.worker.engine_loader import engine_loader


def test_windows_go_to_the_servers_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDVD_TRITON_URLS", "127.0.0.1:1, 127.0.0.1:2")
    load = engine_loader(Settings(engine="triton"))

    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1:1.*127\.0\.0\.1:2"):
        load(Path("any"))


def test_an_engine_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("service.inference.triton")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)

    with pytest.raises(RequirementMissing, match=re.escape(install_command("triton"))):
        engine_loader(Settings(engine="triton"))
