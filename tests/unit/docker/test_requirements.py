"""What the images install is what their programs import, in the versions that pyproject.toml allows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "docker" / "requirements"

PROGRAMS = {
    "gateway": (
        "service.api.app",
        "service.cli.app",
        "service.cli.actions.api_keys",
        "service.client",
        "kombu.transport.redis",
        "service.video.sandbox.probe_child",
        "service.storage.s3",
    ),
    "worker": (
        "service.worker.app",
        "service.inference.onnx",
        "service.inference.triton",
        "service.storage.s3",
    ),
    "all-in-one": (
        "service.embedded",
        "service.api.app",
        "service.worker.app",
        "service.inference.onnx",
        "service.cli.app",
        "service.cli.actions.up",
        "service.cli.actions.doctor",
        "service.cli.actions.api_keys",
        "kombu.transport.redis",
        "service.video.sandbox.probe_child",
    ),
    "export": ("export.__main__",),
}
ELSEWHERE = {"cdvd", "torch", "sympy", "mpmath", "setuptools"}
"""torch, with what it brings, has an index of its own; ours is built from the checkout."""

IMPORT = """
import importlib, importlib.metadata, sys
pinned, programs = set(sys.argv[1].split()), sys.argv[2:]
normal = lambda name: name.lower().replace("_", "-").replace(".", "-")
owners = importlib.metadata.packages_distributions()
absent = {top for top, names in owners.items() if not pinned & set(map(normal, names))}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for name in programs:
    importlib.import_module(name)
"""
"""Imports programs as if nothing but the pinned distributions were installed."""


def pinned(image: str) -> dict[str, list[Requirement]]:
    """The lock file's requirements by name; several where the version depends on the interpreter."""
    text = (REQUIREMENTS / f"{image}.txt").read_text()
    lines = [line.rstrip("\\ ") for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, lines):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def allowed() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonicalize_name(one.name): one for texts in lists for one in map(Requirement, texts)}


@pytest.mark.parametrize("image", PROGRAMS)
def test_image_installs_what_its_programs_import(image: str) -> None:
    installed = " ".join({*pinned(image), *ELSEWHERE})
    command = [sys.executable, "-c", IMPORT, installed, *PROGRAMS[image]]

    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("image", [*PROGRAMS, "triton-cpu", "torch", "worker-gpu", "all-in-one-gpu"])
def test_pinned_versions_are_those_that_the_project_allows(image: str) -> None:
    limits = allowed()
    for name, requirements in pinned(image).items():
        for requirement in requirements if name in limits else ():
            (version,) = requirement.specifier
            assert limits[name].specifier.contains(version.version), requirement


def test_image_that_exports_has_the_same_torch_from_either_index() -> None:
    (torch,) = pinned("torch")["torch"]
    (version,) = torch.specifier
    assert f"ARG TORCH_VERSION={version.version}\n" in (ROOT / "docker" / "export" / "Dockerfile").read_text()


def test_gateway_is_light_and_no_image_that_serves_holds_torch() -> None:
    assert {"numpy", "onnxruntime", "tritonclient"}.isdisjoint(pinned("gateway"))
    for image in ("gateway", "worker", "all-in-one", "triton-cpu"):
        assert "torch" not in pinned(image)


@pytest.mark.parametrize("image", ["worker", "all-in-one"])
def test_an_image_for_gpus_has_the_other_build_of_the_runtime_and_is_the_same_otherwise(image: str) -> None:
    usual, other = pinned(image), pinned(f"{image}-gpu")
    brought = {name for name in other if name.startswith("nvidia-")}
    assert {"nvidia-cudnn-cu13", "nvidia-cublas", "nvidia-cufft"} <= brought
    assert set(usual) - set(other) == {"onnxruntime"}
    assert set(other) - set(usual) == {"onnxruntime-gpu", *brought}
    assert all(usual[name] == other[name] for name in set(usual) & set(other))
    assert f"{image}${{GPU:+-gpu}}.txt" in (ROOT / "docker" / image / "Dockerfile").read_text()


def test_the_same_onnx_runtime_everywhere() -> None:
    for image in ("all-in-one", "triton-cpu"):
        assert pinned("worker")["onnxruntime"] == pinned(image)["onnxruntime"]
