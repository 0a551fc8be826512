"""What ``make install`` hands to pip: always one build of ONNX Runtime, whatever is asked for and already there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"
PYTHON = """#!/bin/sh
case "$*" in
    "-m pip show -q "*) exec test -e "{there}/$5" ;;
esac
echo "$@" >> "{log}"
"""
"""Stands for the interpreter: knows which packages are there, and writes down what it is called with."""


def install(folder: Path, extras: str, *there: str) -> list[str]:
    """Returns the arguments of each call of pip that changes something."""
    programs, log = folder / ".venv" / "bin", folder / "log"
    programs.mkdir(parents=True)
    for package in there:
        (folder / package).touch()
    python = programs / "python"
    python.write_text(PYTHON.format(there=folder, log=log))
    python.chmod(0o755)
    command = ["make", "-f", str(MAKEFILE), "install", *([f"EXTRAS={extras}"] if extras else [])]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
    return [line.removeprefix("-m pip ") for line in log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("extras", "there", "calls"),
    [
        ("", (), ["install -q -e .[cpu]"]),
        ("triton,s3", (), ["install -q -e .[cpu,triton,s3]"]),
        ("triton", ("onnxruntime-gpu",), ["install -q -e .[gpu,triton]"]),
        ("", ("onnxruntime-gpu",), ["install -q -e .[gpu]"]),
        ("gpu", (), ["install -q -e .[gpu]"]),
        ("gpu", ("onnxruntime-gpu",), ["install -q -e .[gpu]"]),
        (
            "gpu,s3",
            ("onnxruntime",),
            ["uninstall -q -y onnxruntime onnxruntime-gpu", "install -q -e .[gpu,s3]"],
        ),
        (
            "gpu",
            ("onnxruntime", "onnxruntime-gpu"),
            ["uninstall -q -y onnxruntime onnxruntime-gpu", "install -q -e .[gpu]"],
        ),
    ],
)
def test_one_build_of_the_runtime_is_installed(
    tmp_path: Path, extras: str, there: tuple[str, ...], calls: list[str]
) -> None:
    assert install(tmp_path, extras, *there) == calls
