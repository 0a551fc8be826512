"""What a stranger should find in the tree: short files, small packages, American spelling."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("service", "cascade", "export", "benchmarks", "examples")
MOST_LINES = 250
MOST_MODULES = 14
"""On one level; ``__init__.py`` does not count."""

BRITISH = re.compile(
    r"colour|centre|neighbour|behaviour|grey\b|licence|cancelled|cancelling|optimis|normalis|synthesis(e|ing)\b|recognis|initialis"
    r"|favour|honour|labelled(?!by)|modell|catalogue|analys(e|ing)\b|metre\b",
    re.IGNORECASE,
)
KEPT = re.compile(
    # Fields of the HTTP API, of model.json and of old checkpoints; names of other programs; proper names.
    r"\blicence\b(?=[\"':])|\.licence\b|_LICENCE|\"optimiser\"|CANCELLED|Cancelled|\bcancelled\(|Grey \|"
)

OTHER_LANGUAGES = [ROOT / "service/web/languages/de"]


def tracked(*patterns: str) -> list[Path]:
    """The files of the project: those that git knows, or all in an unpacked archive."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", *patterns], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name]


@pytest.mark.parametrize("suffix", ["py", "js", "css"])
def test_no_source_file_is_long(suffix: str) -> None:
    files = tracked(*(f"{folder}/*.{suffix}" for folder in SOURCES))
    long = {str(path.relative_to(ROOT)): lines for path in files if (lines := _lines(path)) > MOST_LINES}

    assert not long


def test_no_package_is_crowded() -> None:
    files = tracked(*(f"{folder}/*.py" for folder in SOURCES))
    count = Counter(path.parent.relative_to(ROOT) for path in files if path.name != "__init__.py")

    assert not {str(folder): number for folder, number in count.items() if number > MOST_MODULES}


def test_words_are_spelled_as_in_american_english() -> None:
    files = tracked("*.py", "*.js", "*.css", "*.html", "*.md", "*.yml", "*.yaml", "*.toml", "Makefile")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path != Path(__file__) and path.parent not in OTHER_LANGUAGES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if BRITISH.search(KEPT.sub("", line))
    ]

    assert not found, "\n".join(found)


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())
