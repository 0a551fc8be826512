"""Installs a Triton server from PyPI into a cache directory, for machines without Docker.

NVIDIA's wheel ``nvidia-pytriton`` holds a whole ``tritonserver`` with the Python backend. Nothing of it is installed
into the Python environment; the server runs models with this interpreter and the ONNX Runtime that is installed here.
"""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.errors.startup import RequirementMissing

VERSION = "0.7.0"
"""The newest release; its server is Triton 2.51 (24.10)."""
_HASHES = {
    "x86_64": "21f063ff93bb426d0c06b7a55e7eb9efcfe62c0dddd9a908e9877e18710128df",
    "aarch64": "f99e07ee56fe065337453956afba17d2673e02ec6a632c3de26ce6e7b32a0898",
}
OLDEST_GLIBC = (2, 35)
"""The version that the wheel's programs are linked with."""
INSTALL_TIMEOUT_S = 900.0


@dataclass(frozen=True)
class TritonInstall:
    """The files of an unpacked wheel."""

    root: Path

    @property
    def server(self) -> Path:
        """The program ``tritonserver``."""
        return self.root / "pytriton" / "tritonserver" / "bin" / "tritonserver"

    @property
    def python_backend(self) -> Path:
        """The directory of ``libtriton_python.so`` and ``triton_python_backend_utils.py``."""
        return self.root / "pytriton" / "tritonserver" / "backends" / "python"

    @property
    def stub(self) -> Path:
        """The program that runs a Python model, for the version of this interpreter."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        stubs = self.root / "pytriton" / "tritonserver" / "python_backend_stubs"
        return stubs / version / "triton_python_backend_stub"


def cache_directory() -> Path:
    """Returns the default directory of the server: ``$XDG_CACHE_HOME/cdvd/triton``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cdvd" / "triton"


def find_install(directory: Path) -> TritonInstall | None:
    """Returns what an earlier call of ``install`` put under ``directory``, or None."""
    present = TritonInstall(directory / f"pytriton-{VERSION}")
    return present if present.server.is_file() else None


def install(directory: Path) -> TritonInstall:
    """Fetches the server with pip, 55 MB, unless it is there. Several processes may do so at once.

    Raises RequirementMissing where the platform is not supported, or with pip's reason.
    """
    require_platform()
    fetched = find_install(directory) or _fetch(directory)
    if not fetched.stub.is_file():
        raise RequirementMissing(
            f"Triton {VERSION} has no Python backend for Python {platform.python_version()}."
        )
    return fetched


def require_platform() -> None:
    """Raises RequirementMissing, with the reason, where the wheel cannot run."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _HASHES:
        raise RequirementMissing(
            f"Triton runs on Linux on {' and '.join(_HASHES)}, not on {sys.platform} {machine}."
        )
    libc, version = platform.libc_ver()
    if libc != "glibc" or tuple(map(int, version.split("."))) < OLDEST_GLIBC:
        wanted = ".".join(map(str, OLDEST_GLIBC))
        raise RequirementMissing(
            f"Triton from PyPI needs glibc {wanted} or newer; this is {libc or 'none'} {version}."
        )
    library_directory()


def library_directory() -> Path | None:
    """Returns the directory of ``libpython``, which the Python backend loads; None where the loader finds it by itself.

    Raises RequirementMissing for an interpreter that was built without it.
    """
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
    libdir, multiarch = (sysconfig.get_config_var(key) or "" for key in ("LIBDIR", "MULTIARCH"))
    for folder in (Path(libdir), Path(libdir) / multiarch, Path(sys.base_prefix) / "lib"):
        if (folder / name).is_file():
            return folder
    with suppress(OSError):
        ctypes.CDLL(name)
        return None
    raise RequirementMissing(
        f"{name} is missing: this Python was built without its shared library. "
        "Use the system's Python (apt install libpython3-dev) or one built with --enable-shared."
    )


def _fetch(directory: Path) -> TritonInstall:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=directory) as part:
        _pip_install(Path(part))
        target = directory / f"pytriton-{VERSION}"
        with suppress(OSError):  # another process was faster
            (Path(part) / "root").rename(target)
    fetched = find_install(directory)
    if fetched is None:
        raise RequirementMissing(f"There is no Triton in {target}, which is in the way. Remove it.")
    return fetched


def _pip_install(part: Path) -> None:
    wanted = part / "requirements.txt"
    wanted.write_text(f"nvidia-pytriton=={VERSION} --hash=sha256:{_HASHES[platform.machine()]}\n")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [
        "--no-compile",
        "--only-binary=:all:",
        "--target",
        str(part / "root"),
        "--requirement",
        str(wanted),
    ]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise RequirementMissing(f"Pip did not fetch Triton within {INSTALL_TIMEOUT_S:g} s.") from error
    if run.returncode:
        raise RequirementMissing(f"Pip could not fetch Triton: {run.stderr.strip()[-500:]}")
