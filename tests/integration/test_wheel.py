"""The wheel, built from the source distribution and installed far from the checkout.

Its environment sees the packages that the tests run with, so nothing is fetched; cdvd itself is the wheel's.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.support.clips import Clip, read_frames, write_clip

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
PACKAGES = ("service", "cascade", "export", "model_repository")
PATIENCE_S = 120


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the wheel, and an empty directory to work in."""

    environment: Path
    wheel: Path
    folder: Path

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of the environment, as in a shell that knows nothing of the checkout."""
        done = subprocess.run(
            [self.environment / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=self.variables(**more),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def variables(self, **more: str) -> dict[str, str]:
        """Returns our environment variables without those that would lead back."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CDVD_"))}
        return {**ours, **more}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``python -m build`` makes of a copy of the tree: a source distribution, and of that a wheel."""
    tree, made = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        shutil.copy(ROOT / name, tree)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(tree)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return made


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (found,) = distributions.glob("*.whl")
    assert len(list(distributions.glob("*.tar.gz"))) == 1
    return found


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    root = tmp_path_factory.mktemp("elsewhere")
    environment = root / "environment"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=PATIENCE_S
    )
    (site,) = environment.glob("lib/python*/site-packages")
    # A path alone: the file that makes the checkout importable is not read there.
    (site / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    folder = root / "empty"
    folder.mkdir()
    found = Installation(environment, wheel, folder)
    found.run(
        "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall", wheel
    )
    return found


def test_wheel_holds_page_license_and_what_is_served_of_each_model(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {path.parent for path in (ROOT / "model_repository").glob("*/model.json")}
    for model in models:
        for name in ("model.json", "README.md", "reference.npz", "config.pbtxt", "1/model.onnx"):
            assert f"service/model_repository/{model.name}/{name}" in names
    assert not [name for name in names if name.endswith(".pt")]
    page = {path for path in (ROOT / "service" / "web").rglob("*") if path.is_file()}
    assert {path.relative_to(ROOT).as_posix() for path in page} <= names
    assert "service/py.typed" in names
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


@pytest.mark.parametrize(
    ("extra", "runtimes"),
    [("", []), ("cpu", ["onnxruntime"]), ("gpu", ["onnxruntime-gpu[cuda,cudnn]"]), ("triton", [])],
)
def test_an_extra_brings_one_build_of_the_runtime_and_no_other(
    installation: Installation, extra: str, runtimes: list[str]
) -> None:
    """Two builds have the same files, so the one that pip wrote last would be what runs."""
    (site,) = installation.environment.glob("lib/python*/site-packages")
    (found,) = metadata.distributions(name="cdvd", path=[str(site)])
    wanted = [Requirement(text) for text in found.requires or ()]
    taken = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]
    names = [str(one).partition("<")[0] for one in taken if one.name.startswith("onnxruntime")]
    assert [name.partition(">")[0] for name in names] == runtimes


def test_cdvd_comes_from_the_wheel(installation: Installation) -> None:
    where = "import service, cascade, export; print(*service.__path__, *cascade.__path__, *export.__path__)"
    for place in installation.run("python", "-c", where).stdout.split():
        assert Path(place).is_relative_to(installation.environment)


def test_doctor_finds_the_model_of_the_wheel(installation: Installation) -> None:
    report = json.loads(installation.run("cdvd", "doctor", "--json").stdout)
    details = [finding["detail"] for finding in report["findings"] if finding["name"] == "Model"]
    assert any(detail.startswith("cdvd_lite") and "digest verified" in detail for detail in details)


def test_a_clip_is_deblurred_in_an_empty_directory(installation: Installation) -> None:
    source = write_clip(installation.folder / "a.mp4", Clip(frames=6))
    installation.run("cdvd", "deblur", "a.mp4")
    result = installation.folder / "a_deblurred.mp4"
    assert [time for time, _ in read_frames(result)] == [time for time, _ in read_frames(source)]


def test_up_serves_page_and_version(installation: Installation) -> None:
    program = installation.environment / "bin" / "cdvd"
    with subprocess.Popen(
        [program, "up", "--port", "0", "--json"],
        cwd=installation.folder,
        env=installation.variables(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
            assert told["data"] == str(installation.folder / "cdvd-data")
            with httpx.Client(base_url=told["url"], trust_env=False) as http:
                assert "<title>" in http.get("/").text
                version = http.get("/version").json()["version"]
            assert installation.run("cdvd", "--version").stdout.split() == ["cdvd", version]
            assert installation.wheel.name.startswith(f"cdvd-{version}-")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def test_the_advised_command_works_here(installation: Installation) -> None:
    ask = "from service.distribution import install_command; print(install_command('s3'))"
    advised = installation.run("python", "-c", ask).stdout.strip()
    assert installation.wheel.as_uri() in advised
    words = shlex.split(advised)
    assert Path(words[0]) == installation.environment / "bin" / "python"
    installation.run("python", *words[1:], PIP_NO_INDEX="1", PIP_QUIET="1")
