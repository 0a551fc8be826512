from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from service.errors.startup import RequirementMissing
from service.local.triton import install as installer
from service.local.triton.install import TritonInstall, find_install, install, require_platform


@pytest.fixture(autouse=True)
def _linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is supported, whatever this one is."""
    monkeypatch.setattr(installer.sys, "platform", "linux")
    monkeypatch.setattr(installer.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(installer.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setattr(installer, "library_directory", lambda: None)


def unpack(root: Path) -> TritonInstall:
    found = TritonInstall(root)
    for path in (found.server, found.stub):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return found


@pytest.mark.parametrize(
    ("libc", "message"), [(("", ""), "none"), (("glibc", "2.31"), r"2\.35 or newer; this is glibc 2\.31")]
)
def test_an_old_or_other_c_library_is_refused(
    monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str], message: str
) -> None:
    monkeypatch.setattr(installer.platform, "libc_ver", lambda: libc)
    with pytest.raises(RequirementMissing, match=message):
        require_platform()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64")])
def test_another_system_or_processor_is_refused(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(installer.sys, "platform", system)
    monkeypatch.setattr(installer.platform, "machine", lambda: machine)
    with pytest.raises(RequirementMissing, match=f"not on {system} {machine}"):
        require_platform()


def test_what_is_there_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = unpack(tmp_path / f"pytriton-{installer.VERSION}")
    monkeypatch.setattr(subprocess, "run", None)

    assert install(tmp_path) == find_install(tmp_path) == there


def test_a_fetch_that_fails_says_why_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failure = subprocess.CompletedProcess([], 1, "", "ERROR: no matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: failure)

    with pytest.raises(RequirementMissing, match="no matching distribution"):
        install(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_fetch_that_another_process_finished_first_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    target = tmp_path / f"pytriton-{installer.VERSION}"

    def slow_pip(part: Path) -> None:
        unpack(part / "root")
        unpack(target)

    monkeypatch.setattr(installer, "_pip_install", slow_pip)

    assert install(tmp_path).root == target
    assert list(tmp_path.iterdir()) == [target]


def test_an_interpreter_that_the_server_cannot_run_is_refused(tmp_path: Path) -> None:
    unpack(tmp_path / f"pytriton-{installer.VERSION}").stub.unlink()

    with pytest.raises(RequirementMissing, match="no Python backend for Python"):
        install(tmp_path)
