"""Clocks that jump: a library, compiled here from ``clock.c``, shifts the time of day of the processes that load it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
COMPILER = shutil.which("cc")
"""None where there is no C compiler: clocks then stay as they are."""


class Clock:
    """The time of day of processes that are started with its ``settings``; the clock that they measure with is even."""

    def __init__(self, file: Path) -> None:
        """``file``: where the shift is written to; the library lies beside it."""
        self._file = file
        self._library = file.with_suffix(".so")
        if COMPILER:
            command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SOURCE)]
            subprocess.run(command, check=True)
        self.step(0)

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables."""
        if COMPILER is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        """Sets the clock so far ahead of this machine's, or back."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)
