"""The shell commands that the documentation shows."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
SHELL = ("sh", "bash")
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:python -m|cdvd|make) [^`]+)`")
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """One command, without its comment and without the path of the environment that it is shown with."""

    page: str
    text: str

    @property
    def words(self) -> list[str]:
        """Returns the words of the command as an example: brackets around what may be left out are gone."""
        plain = re.sub(r"[\[\]]|(?<=\s)\.\.\.(?=\s|$)", "", self.text)
        return shlex.split(plain)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Returns language and text of every fenced block of a page."""
    return [(match[2], match[3]) for match in _BLOCK.finditer(page.read_text())]


def fenced(page: Path) -> list[Command]:
    """Returns the commands of a page's shell blocks, in order."""
    found = []
    for language, text in blocks(page):
        if language in SHELL:
            lines = _COMMENT.sub("", text.replace("\\\n", " ")).splitlines()
            found += [Command(page.name, _plain(part)) for line in lines for part in _parts(line)]
    return [command for command in found if command.text]


def inline(page: Path) -> list[Command]:
    """Returns the commands that a page's sentences name."""
    prose = _BLOCK.sub("", page.read_text())
    return [Command(page.name, _plain(" ".join(text.split()))) for text in _INLINE.findall(prose)]


def _parts(line: str) -> list[str]:
    """Splits what is joined by ``&&``; a loop stays whole."""
    return [line] if line.strip().startswith("for ") else line.split("&&")


def _plain(text: str) -> str:
    """Removes what surrounds a command: an assignment of its output, and the path of the environment."""
    text = re.sub(r"^\s*\w+=\$\((.*)\)\s*$", r"\1", text)
    return text.strip().removeprefix(".venv/bin/")
