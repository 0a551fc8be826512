"""How cdvd came onto this machine: its version, and the commands that add to it there.

Printed advice has to work where it is printed: an index knows no cdvd that was installed from a file, and a checkout
has its own commands.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "cdvd"
UNKNOWN_VERSION = "unknown"
"""Of files that were copied together without an installer."""
GIT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Distribution:
    """What is known of the cdvd that runs here."""

    version: str
    tree: Path | None = None
    """The source tree that it runs from; None where an installer copied it."""
    url: str | None = None
    """What an installer copied it from, as pip takes it; None is a package index."""
    commit: str | None = None
    requires: tuple[str, ...] = ()
    """Requirements as the metadata lists them, those of extras with a marker ``extra == "NAME"``."""

    def install_command(self, extra: str | None = None) -> str:
        """Returns a shell command that installs what cdvd needs, with the packages of ``extra``."""
        if self.tree is not None:
            return self._from_tree(self.tree, extra)
        wanted = f"{NAME}[{extra}]" if extra else NAME
        if self.url is None:
            return pip_command("install", wanted)
        if _has_gone(self.url):
            return pip_command("install", *self._requirements(extra))
        return pip_command("install", f"{wanted} @ {self.url}")

    @staticmethod
    def _from_tree(folder: Path, extra: str | None) -> str:
        """``make`` where the environment is the one that it makes, pip for any other."""
        if Path(sys.prefix) != folder / ".venv" or not (folder / "Makefile").is_file():
            return pip_command("install", "--editable", f"{folder}[{extra}]" if extra else str(folder))
        place = [] if Path.cwd() == folder else ["-C", str(folder)]
        return shlex.join(["make", *place, "install", *([f"EXTRAS={extra}"] if extra else [])])

    def _requirements(self, extra: str | None) -> list[str]:
        """Returns the packages themselves, for where cdvd's own file is no longer there."""
        if extra is None:
            return [text for text in self.requires if "extra ==" not in text]
        found = (re.fullmatch(rf'([^;]+?)\s*;\s*extra == "{extra}"', text) for text in self.requires)
        return [match[1] for match in found if match]


def installed() -> Distribution:
    """Returns the distribution that this module belongs to."""
    home = Path(__file__).resolve().parents[1]
    project = home / "pyproject.toml"
    if project.is_file():
        return Distribution(
            tomllib.loads(project.read_text())["project"]["version"], home, commit=_commit(home)
        )
    for found in metadata.distributions(name=NAME, path=[str(home)]):
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        vcs = origin.get("vcs_info", {})
        url = f"{vcs['vcs']}+{origin['url']}@{vcs['commit_id']}" if vcs else origin.get("url")
        return Distribution(
            found.version, url=url, commit=vcs.get("commit_id"), requires=tuple(found.requires or ())
        )
    return Distribution(UNKNOWN_VERSION)


def onnx_runtimes() -> tuple[str, ...]:
    """Returns the distributions, by name, that ONNX Runtime's files came with; several overwrite each other's."""
    return tuple(sorted(set(metadata.packages_distributions().get("onnxruntime", ()))))


def install_command(extra: str | None = None) -> str:
    """Returns a shell command that installs cdvd's packages, or those of ``extra``, where this process runs."""
    return installed().install_command(extra)


def build_command(extra: str) -> str:
    """Returns shell commands that install one build of ONNX Runtime, ``cpu`` or ``gpu``, in place of what is there.

    ``make`` sees to that itself.
    """
    builds, command = onnx_runtimes(), install_command(extra)
    if not builds or command.startswith("make "):
        return command
    return f"{pip_command('uninstall', '--yes', *builds)} && {command}"


def pip_command(*arguments: str) -> str:
    """Returns a shell command that runs pip in the environment of this process."""
    return shlex.join([sys.executable, "-m", "pip", *arguments])


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def _has_gone(url: str) -> bool:
    """Whether cdvd came from a file or folder of this machine that is no longer there."""
    return urlsplit(url).scheme == "file" and not _path(url).exists()


def _commit(folder: Path) -> str | None:
    """Returns the commit that a checkout is at; None for a tree that is no checkout, or without git."""
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    with suppress(OSError, subprocess.SubprocessError):
        run = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=True)
        return run.stdout.strip()
    return None
