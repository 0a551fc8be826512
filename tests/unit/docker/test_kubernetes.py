"""The Kubernetes resources: valid by Kubernetes' own schemas, and true to each other and to the service."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.config import Settings
from service.jobs.queue import QUEUES
from service.outbound.address import Reach, is_public

ROOT = Path(__file__).parents[3] / "docker" / "k8s"
OLDEST, NEWEST = "1.30", "1.34"
KEDA = "keda.sh/v1alpha1"

Resource = dict[str, Any]


def written() -> list[Resource]:
    """Every resource as it stands in the files, apart from Kustomize's own."""
    files = [path for path in sorted(ROOT.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    return [resource for path in files for resource in yaml.safe_load_all(path.read_text())]


def built(directory: str) -> list[Resource]:
    """What Kustomize makes of a directory."""
    tools = {"kubectl": ["kustomize"], "kustomize": ["build"]}
    for name, verb in tools.items():
        if found := shutil.which(name):
            answer = subprocess.run([found, *verb, str(ROOT / directory)], capture_output=True, text=True)
            assert answer.returncode == 0, answer.stderr
            return list(yaml.safe_load_all(answer.stdout))
    pytest.skip("needs kubectl or kustomize")


def by_kind(kind: str) -> dict[str, Resource]:
    return {one["metadata"]["name"]: one for one in written() if one["kind"] == kind}


def pods() -> list[tuple[str, Resource]]:
    """Name and pod template of everything that runs."""
    running = by_kind("Deployment") | by_kind("StatefulSet")
    return [(name, resource["spec"]["template"]) for name, resource in running.items()]


def variables() -> dict[str, Any]:
    """All environment variables that are set anywhere."""
    found = dict(by_kind("ConfigMap")["cdvd"]["data"])
    for _, pod in pods():
        for container in pod["spec"]["containers"]:
            found |= {one["name"]: one.get("value") for one in container.get("env", [])}
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    "resource",
    [one for one in written() if one["apiVersion"] != KEDA],  # of which Kubernetes has no schema
    ids=lambda one: f"{one['kind']}-{one['metadata']['name']}",
)
def test_resource_is_valid(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_example_builds_into_valid_resources_of_one_namespace() -> None:
    resources = built("example")

    for resource in resources:
        if resource["apiVersion"] != KEDA:
            kubernetes_validate.validate(resource, NEWEST, strict=True)
        if resource["kind"] != "Namespace":
            assert resource["metadata"]["namespace"] == "cdvd"
    names = {(one["kind"], one["metadata"]["name"]) for one in resources}
    assert {("Deployment", "gateway"), ("Deployment", "worker"), ("StatefulSet", "triton")} <= names
    scaled = [one for one in resources if one["kind"] in ("Deployment", "StatefulSet")]
    fixed = {one["metadata"]["name"] for one in scaled if "replicas" in one["spec"]}
    assert fixed == {"gateway", "redis"}, "KEDA owns the other numbers"


def test_base_builds_without_keda() -> None:
    kinds = {one["kind"] for one in built("base")}

    assert "ScaledObject" not in kinds
    assert "HorizontalPodAutoscaler" in kinds


@pytest.mark.parametrize("pod", [pod for _, pod in pods()])
def test_nothing_runs_with_more_rights_than_it_needs(pod: Resource) -> None:
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("pod", [pod for _, pod in pods()])
def test_everything_has_limits_and_probes_at_ports_that_it_has(pod: Resource) -> None:
    for container in pod["spec"]["containers"]:
        assert "memory" in container["resources"]["limits"]
        assert "cpu" in container["resources"]["requests"]
        ports = {port["name"] for port in container["ports"]}
        probes = [value for key, value in container.items() if key.endswith("Probe")]
        asked = [probe[way]["port"] for probe in probes for way in ("httpGet", "tcpSocket") if way in probe]
        assert probes
        assert set(asked) <= ports


@pytest.mark.parametrize(("name", "pod"), pods())
def test_every_mount_has_its_volume(name: str, pod: Resource) -> None:
    templates = by_kind("StatefulSet").get(name, {}).get("spec", {}).get("volumeClaimTemplates", [])
    volumes = {one["name"] for one in pod["spec"].get("volumes", [])}
    volumes |= {one["metadata"]["name"] for one in templates}
    mounts = {one["name"] for container in pod["spec"]["containers"] for one in container["volumeMounts"]}
    assert mounts == volumes


def test_selectors_find_their_pods() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods()}
    for kind in ("Service", "PodDisruptionBudget"):
        for name, resource in by_kind(kind).items():
            selector = resource["spec"]["selector"]
            assert selector.get("matchLabels", selector).items() <= labels[name].items()
    for name, resource in (by_kind("Deployment") | by_kind("StatefulSet")).items():
        assert resource["spec"]["selector"]["matchLabels"].items() <= labels[name].items()


def test_workers_reach_public_servers_at_the_ports_that_the_service_calls() -> None:
    policy = by_kind("NetworkPolicy")["public-servers"]["spec"]
    (rule,) = policy["egress"]
    labels = {name: pod["metadata"]["labels"] for name, pod in pods()}
    selected = [
        name for name, one in labels.items() if policy["podSelector"]["matchLabels"].items() <= one.items()
    ]

    assert selected == ["worker"]
    assert {one["port"] for one in rule["ports"]} == Reach().allowed_ports()
    excepted = [block for to in rule["to"] for block in to["ipBlock"].get("except", [])]
    assert excepted
    assert not any(is_public(block.partition("/")[0]) for block in excepted)


def test_service_that_workers_resolve_to_all_of_triton_is_headless() -> None:
    host, _, port = str(variables()["CDVD_TRITON_URLS"]).partition(":")
    service = by_kind("Service")[host]["spec"]

    assert service["clusterIP"] == "None"
    assert int(port) in {one["port"] for one in service["ports"]}


def test_variables_are_settings_that_take_these_values(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {name: value for name, value in variables().items() if name.startswith("CDVD_")}
    known = {f"CDVD_{name.upper()}" for name in Settings.model_fields} | {"CDVD_SECRETS_DIR"}
    assert set(found) <= known
    for name, value in found.items():
        if value is not None and name != "CDVD_SECRETS_DIR":
            monkeypatch.setenv(name, value)

    settings = Settings()

    assert settings.storage == "s3"
    drain = by_kind("Deployment")["worker"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert settings.drain_s < drain


def test_secrets_have_the_names_of_settings() -> None:
    example = yaml.safe_load((ROOT / "example" / "kustomization.yaml").read_text())
    given = [pair.partition("=")[0] for pair in example["secretGenerator"][0]["literals"]]

    assert {name.removeprefix("cdvd_") for name in given} <= set(Settings.model_fields)


def test_scratch_fits_into_its_volume() -> None:
    pod = by_kind("Deployment")["worker"]["spec"]["template"]["spec"]
    volume = next(one for one in pod["volumes"] if one["name"] == "scratch")

    assert int(str(variables()["CDVD_SCRATCH_BYTES"])) < int(volume["emptyDir"]["sizeLimit"][:-2]) << 30


class TestKeda:
    """The number of workers follows the queue, that of GPUs what waits inside Triton."""

    def test_targets_exist(self) -> None:
        for scaled in by_kind("ScaledObject").values():
            target = scaled["spec"]["scaleTargetRef"]
            assert target["name"] in by_kind(target.get("kind", "Deployment"))
            assert 0 <= scaled["spec"]["minReplicaCount"] < scaled["spec"]["maxReplicaCount"]

    def test_every_queue_of_the_service_brings_workers(self) -> None:
        triggers = by_kind("ScaledObject")["worker"]["spec"]["triggers"]
        watched = {one["metadata"]["listName"] for one in triggers if one["type"] == "redis"}

        assert watched == set(QUEUES)

    def test_credentials_are_those_of_the_secret(self) -> None:
        logins = by_kind("TriggerAuthentication")
        for trigger in by_kind("ScaledObject")["worker"]["spec"]["triggers"]:
            if trigger["type"] == "redis":
                (parameter,) = logins[trigger["authenticationRef"]["name"]]["spec"]["secretTargetRef"]
                assert parameter == {"parameter": "password", "name": "cdvd", "key": "cdvd_redis_password"}

    def test_metrics_are_those_that_are_served(self) -> None:
        queries = [
            one["metadata"]["query"]
            for scaled in by_kind("ScaledObject").values()
            for one in scaled["spec"]["triggers"]
            if one["type"] == "prometheus"
        ]
        source = (ROOT.parents[1] / "service" / "api" / "load_gauges.py").read_text()

        assert any("nv_inference_pending_request_count" in query for query in queries)
        assert any("cdvd_steps_running" in query for query in queries)
        assert '"cdvd_steps_running"' in source

    def test_values_are_strings_as_keda_wants_them(self) -> None:
        metadata = [
            trigger["metadata"]
            for scaled in by_kind("ScaledObject").values()
            for trigger in scaled["spec"]["triggers"]
        ]

        assert all(isinstance(value, str) for one in metadata for value in one.values())
