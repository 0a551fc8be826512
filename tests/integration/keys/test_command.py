"""``cdvd keys`` and ``cdvd webhook-secret``, with and without a running service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors.startup import InsecureAddress
from tests.support.api_keys import redis_url
from tests.support.stack import QUICK, Service, write_models

pytestmark = pytest.mark.integration


def cdvd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def told(*arguments: str, **environment: str) -> Any:
    ended = cdvd(*arguments, "--json", **environment)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.usefixtures("ring")
def test_a_key_is_made_used_listed_and_revoked(service: Service) -> None:
    data = str(service.data)
    limits = ("--rate", "10/min", "--jobs", "2", "--bytes", "1000", "--expires", "1")
    key = told("keys", "create", "anna", "--scope", "read", "--tenant", "films", *limits, "--data", data)
    assert (key["tenant"], key["scopes"]) == ("films", ["read"])
    assert key["limits"] == {"per_minute": 10, "jobs": 2, "bytes": 1000}
    headers = {"Authorization": f"Bearer {key['key']}"}
    assert service.http.get("/session", headers=headers).json()["tenant"] == "films"
    listed = cdvd("keys", "list", CDVD_REDIS_URL=redis_url(service))
    assert key["prefix"] in listed.stdout
    assert key["key"] not in listed.stdout + json.dumps(told("keys", "list", "--data", data))
    assert told("keys", "revoke", key["prefix"], "--data", data)["valid"] is False
    assert service.http.get("/jobs", headers=headers).status_code == 401


@pytest.mark.usefixtures("ring")
def test_commands_speak_the_key_of_the_environment(service: Service) -> None:
    key = cdvd("keys", "create", "ci", "--data", str(service.data)).stdout.strip()
    assert told("list", "--url", service.url, CDVD_KEY=key) is not None
    refused = cdvd("list", "--url", service.url)
    assert refused.returncode == 3
    assert "cdvd keys create" in refused.stderr
    assert "CDVD_KEY, which is not set" in refused.stderr
    assert "CDVD_KEY, which is not valid there" in cdvd("list", "--url", service.url, CDVD_KEY="no").stderr


@pytest.mark.parametrize(
    "wrong", [("--scope", "all"), ("--rate", "10/s"), ("--tenant", "../x"), ("--jobs", "0")]
)
def test_wrong_options_are_told_and_make_no_key(service: Service, wrong: tuple[str, str]) -> None:
    before = told("keys", "list", "--data", str(service.data))
    assert cdvd("keys", "create", "x", *wrong, "--data", str(service.data)).returncode == 2
    assert told("keys", "list", "--data", str(service.data)) == before


def test_no_such_key_is_told(service: Service) -> None:
    ended = cdvd("keys", "revoke", "nothing", "--data", str(service.data))
    assert ended.returncode != 0
    assert "no key" in ended.stderr


def test_every_tenant_has_a_webhook_secret_of_its_own(service: Service, client: redis.Redis) -> None:
    data = str(service.data)
    first, again, other = (
        told("webhook-secret", "--tenant", name, "--data", data)["secret"] for name in ("a", "a", "b")
    )
    assert first == again != other
    assert first.startswith("whsec_")
    assert client.get("cdvd:tenant:a:webhook-secret") == first


def test_an_open_address_is_refused_until_there_is_a_key(tmp_path: Path) -> None:
    options = EmbeddedOptions(
        host="0.0.0.0", data=tmp_path / "data", models=write_models(tmp_path / "models"), model=QUICK
    )
    with pytest.raises(InsecureAddress, match="cdvd keys create"):
        EmbeddedStack(options).start()
    key = cdvd("keys", "create", "first", "--data", str(options.data)).stdout.strip()
    with EmbeddedStack(options) as stack:
        assert httpx.get(f"{stack.url}/jobs", trust_env=False).status_code == 401
        headers = {"Authorization": f"Bearer {key}", "Host": "videos.example.org"}
        assert httpx.get(f"{stack.url}/jobs", headers=headers, trust_env=False).status_code == 200


def test_a_gateway_on_an_open_address_without_keys_says_why_it_does_not_start(service: Service) -> None:
    elsewhere = redis_url(service).replace("db=0", "db=3")  # where there are no keys
    ended = subprocess.run(
        [sys.executable, "-m", "service.api"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CDVD_HOST": "0.0.0.0", "CDVD_PORT": "0", "CDVD_REDIS_URL": elsewhere},
    )
    assert ended.returncode == 1
    assert "cdvd keys create" in ended.stderr
    assert "Traceback" not in ended.stderr
