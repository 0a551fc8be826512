"""What an installation of the client needs, and what importing it loads."""

from __future__ import annotations

import subprocess
import sys

NEEDED = ("httpx", "httpx-sse")
HEAVY = (
    "numpy",
    "av",
    "fastapi",
    "starlette",
    "celery",
    "redis",
    "onnxruntime",
    "pydantic",
    "pydantic_settings",
    "cv2",
    "typer",
)
OWN = ("service.client", "service.errors", "service.local.address")

ALONE = """
import importlib.metadata, sys
from packaging.requirements import Requirement

def closure(name, found):
    if name not in found:
        found.add(name)
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                closure(requirement.name, found)
    return found

installed = {name.lower() for wanted in sys.argv[1:] for name in closure(wanted, set())}
owners = importlib.metadata.packages_distributions()
absent = {top for top, names in owners.items() if not installed & {name.lower() for name in names}} - {"service"}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in [name for name in sys.modules if name.partition(".")[0] in absent]:
    del sys.modules[name]
sys.meta_path.insert(0, Absent())
import service.client
print(*sorted(name for name in sys.modules if name.startswith("service.")))
"""
"""Imports the client as if nothing but some distributions, and what they require, were installed."""


def loaded(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", script, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_users_of_the_client_load_nothing_heavy() -> None:
    assert loaded(f"import sys, service.client; print(*sorted(set({HEAVY}) & set(sys.modules)))") == []


def test_the_client_needs_httpx_alone_and_little_of_the_service() -> None:
    names = [name for name in loaded(ALONE, *NEEDED) if name != "service.local"]
    assert "service.client.sync_client" in names
    assert [name for name in names if not name.startswith(OWN)] == []
