"""The compose files, without an engine: rules that every service follows, and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.config import Settings

ROOT = Path(__file__).resolve().parents[3]


class _Loader(yaml.SafeLoader):
    """Knows compose's own tags."""


_Loader.add_constructor("!reset", lambda _loader, _node: None)


def read(path: str) -> dict[str, Any]:
    return dict(yaml.load((ROOT / path).read_text(), _Loader))  # a SafeLoader


STACK = read("docker-compose.yml")
S3 = read("docker/compose.s3.yml")
SERVICES = {**S3["services"], **STACK["services"]}


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_locked_up(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    # An engine takes only one of the two; resources that are limited are limited in one place.
    limits = service.get("deploy", {}).get("resources", {}).get("limits")
    assert ("pids_limit" in service) == (limits is None)
    assert 0 < (limits["pids"] if limits else service["pids_limit"]) <= 512
    assert "no-new-privileges:true" in service["security_opt"]


def test_only_what_serves_people_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(published) == {"gateway", "grafana"}
    for (port,) in published.values():
        assert re.search(r":-127\.0\.0\.1:\d+\}:\d+$", port)


def test_redis_and_triton_stay_inside_and_workers_alone_have_a_way_out() -> None:
    on = {name: service["networks"] for name, service in SERVICES.items() if "networks" in service}

    assert STACK["networks"]["inside"] == {"internal": True}
    assert on["redis"] == on["triton"] == on["minio"] == ["inside"]
    assert [name for name, networks in on.items() if "out" in networks] == ["worker"]


def test_gateways_and_workers_have_the_same_limits_and_reach() -> None:
    gateway, worker = (STACK["services"][name]["environment"] for name in ("gateway", "worker"))
    shared = {name for name in gateway if name.startswith(("CDVD_MAX_", "CDVD_TRANSFER_", "CDVD_WEBHOOK_"))}

    assert {"CDVD_MAX_UPLOAD_BYTES", "CDVD_TRANSFER_HOSTS", "CDVD_WEBHOOK_PORTS"} <= shared
    assert {name: worker.get(name, "missing") for name in shared} == {name: gateway[name] for name in shared}


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_or_built_here(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"]["dockerfile"]).is_file()
    else:
        assert re.search(r":(?!latest)[\w.-]*\d", service["image"])


def test_settings_given_to_containers_exist() -> None:
    given = {
        name
        for service in (*STACK["services"].values(), *S3["services"].values())
        for name in service.get("environment", {})
        if name.startswith("CDVD_")
    }
    known = {f"CDVD_{field.upper()}" for field in Settings.model_fields}

    assert given <= known
    secrets = {*STACK["secrets"], *S3["secrets"]}
    assert {f"CDVD_{name.removeprefix('cdvd_').upper()}" for name in secrets if "cdvd_" in name} <= known


def test_worker_has_time_to_end_its_segments() -> None:
    worker = STACK["services"]["worker"]
    drain = float(re.fullmatch(r"\$\{CDVD_DRAIN_S:-(\d+)\}", worker["environment"]["CDVD_DRAIN_S"])[1])  # type: ignore[index]

    assert drain < float(worker["stop_grace_period"].removesuffix("s"))


def test_graph_runs_on_the_cpu_without_a_reservation() -> None:
    override = read("docker/compose.cpu.yml")["services"]["triton"]

    assert override["deploy"]["resources"]["reservations"] is None
    assert override["build"]["dockerfile"] == "docker/triton-cpu/Dockerfile"


@pytest.mark.parametrize("image", ["gateway", "worker", "all-in-one", "triton", "triton-cpu", "export"])
def test_image_runs_as_a_user_of_its_own_from_a_pinned_base(image: str) -> None:
    text = (ROOT / "docker" / image / "Dockerfile").read_text()

    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.search(r":[\w.-]*\d", base) for base in bases)
    assert re.findall(r"^USER (.*)", text, re.MULTILINE)[-1] == "10001:10001"
