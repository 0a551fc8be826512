"""Says what a measured speed depends on: the processor, and the versions of the runtimes."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

FILE = "runtime.json"
"""What was measured here, in a data directory."""
_PACKAGES = {"onnx": ("onnxruntime", "onnxruntime-gpu"), "openvino": ("openvino",)}
"""The distributions of which a runtime needs one."""


def installed() -> dict[str, str]:
    """Returns the versions of the runtimes that are installed, by name."""
    versions = {}
    for name, packages in _PACKAGES.items():
        for package in packages:
            try:
                versions[name] = f"{package} {metadata.version(package)}"
            except metadata.PackageNotFoundError:
                continue
    return versions


def processor() -> str:
    """Returns the name of the processor, with what it can do where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    fields = {name.strip(): value.strip() for name, value in told.items()}
    units = [unit for unit in fields.get("flags", "").split() if unit.startswith(("avx", "amx"))]
    return " ".join((fields.get("model name", platform.machine()), *units))
