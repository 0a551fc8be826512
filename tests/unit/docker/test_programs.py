"""The programs in the images find what they use of the service."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = sorted((ROOT / "docker").rglob("*.py"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_program_of_an_image_imports(path: Path) -> None:
    found = importlib.util.spec_from_file_location("program", path)
    assert found
    assert found.loader
    found.loader.exec_module(importlib.util.module_from_spec(found))


def test_there_are_programs() -> None:
    assert ROOT / "docker" / "triton-cpu" / "serve.py" in PROGRAMS
