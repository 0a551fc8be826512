"""The key that an open service makes for itself at its first start."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.support.command import started, stop
from tests.support.stack import QUICK, write_models

pytestmark = pytest.mark.integration


def serve(data: Path, models: Path, *more: str) -> dict[str, object]:
    """Runs ``cdvd up`` on every address for a moment; returns what it tells, and how it answers without a key."""
    arguments = ("up", "--data", data, "--models", models, "--model", QUICK, "--port", "0", "--json", *more)
    with started(*arguments, "--host", "0.0.0.0", "--first-key") as process:
        assert process.stdout is not None
        told = dict(json.loads("".join(iter(process.stdout.readline, "}\n")) + "}"))
        told["without"] = httpx.get(f"{told['url']}/jobs", trust_env=False).status_code
        if told.get("key"):
            header = {"Authorization": f"Bearer {told['key']}"}
            told["with"] = httpx.get(f"{told['url']}/jobs", headers=header, trust_env=False).status_code
        assert stop(process, signal.SIGTERM) == 0
    return told


def test_an_open_service_makes_one_key_and_shows_it_once(tmp_path: Path) -> None:
    models = write_models(tmp_path / "models")
    first = serve(tmp_path / "data", models)
    assert (first["without"], first["with"]) == (401, 200)
    second = serve(tmp_path / "data", models)
    assert (second["key"], second["without"]) == (None, 401)


def test_no_key_is_made_where_everybody_is_let_in(tmp_path: Path) -> None:
    told = serve(tmp_path / "data", write_models(tmp_path / "models"), "--allow-unauthenticated")
    assert (told["key"], told["without"]) == (None, 200)
