"""The ``cdvd`` command as people run it: a process, its output, its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PATIENCE_S = 240


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "service.cli", *map(str, arguments)]


def run(*arguments: str | Path, scratch: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """``more`` are variables of its environment."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=_environment(scratch) | more,
    )


@contextmanager
def started(*arguments: str | Path, scratch: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; it is killed if the test ends before it does."""
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(scratch),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _environment(scratch: Path | None) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)} if scratch else dict(os.environ)


def stop(process: subprocess.Popen[str], how: signal.Signals) -> int:
    """Send the signal; return the exit code once the whole process tree is gone."""
    tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    code = process.wait(PATIENCE_S)
    _, alive = psutil.wait_procs(tree, timeout=PATIENCE_S)
    assert alive == []
    return code


def one_line(text: str) -> str:
    """The text, which is one line."""
    assert text.count("\n") == 1, text
    return text.strip()


def complaint(ran: subprocess.CompletedProcess[str]) -> str:
    """The one line that says what went wrong, among lines of progress."""
    assert "Traceback" not in ran.stderr
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("cdvd: ")]
    return line
