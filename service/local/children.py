"""Runs child processes: starts, restarts and stops them, and has the kernel end them with their parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
LOG_BYTES = 10 << 20
"""What a log holds goes to ``<name>.old.log``, in place of what is there, once it is more than this."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
CRASHES, CRASH_PERIOD_S = 8, 60.0
"""A child with as many crashes in the period is given up. A segment that kills its worker causes three."""


@dataclass(frozen=True)
class ChildSpec:
    """How to run one child."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends the child when its parent dies."""
    patience_s: float = 10.0
    """Seconds between SIGTERM and SIGKILL when the child is stopped."""
    directory: Path | None = None
    """The working directory; None is that of the parent."""
    inherit_environment: bool = True
    """Whether ``environment`` is added to that which the parent has when the child is made, or replaces it."""
    clean: Callable[[], None] = lambda: None
    """Removes what the child leaves behind when it is killed; called before each start and after a stop."""


class Child:
    """One child process.

    It is started and restarted from a thread that lives on: to the kernel, the end of that thread is the death of the
    parent.
    """

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        inherited = os.environ if spec.inherit_environment else {}
        self._environment = {
            **inherited,
            **spec.environment,
        }  # a restarted child is set up as the first one was
        self._process: subprocess.Popen[bytes] | None = None
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._start_at = 0.0

    def start(self) -> None:
        """Starts the process; its output goes to the log."""
        spec = self.spec
        spec.clean()
        self.trim_log()
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(spec.death_signal))]
        with spec.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*launcher, *spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=spec.directory,
                pass_fds=spec.pass_fds,
                start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
            )

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def given_up(self) -> bool:
        """Whether the child crashed so often that another start would only crash again."""
        return len(self._crashes) == CRASHES and time.monotonic() - self._crashes[0] < CRASH_PERIOD_S

    @property
    def refused(self) -> bool:
        """Whether the child ended because it cannot work as it is set up, which another start would not change."""
        return self._process is not None and self._process.poll() == os.EX_CONFIG

    def revive(self) -> bool:
        """Starts a dead child again once its pause is over, and returns whether it did.

        The pause doubles with every recent crash.
        """
        if self.running:
            return False
        now = time.monotonic()
        if self._process is not None:
            self._process = None
            self._crashes.append(now)
            recent = sum(now - crash < CRASH_PERIOD_S for crash in self._crashes)
            self._start_at = now + min(FIRST_PAUSE_S * 2 ** (recent - 1), LONGEST_PAUSE_S)
        if now < self._start_at or self.given_up:
            return False
        self.start()
        return True

    def stop(self) -> None:
        """Sends SIGTERM, waits, and sends SIGKILL where that is needed. The process has then ended."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(self.spec.patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.spec.clean()

    def kill(self) -> None:
        """Sends SIGKILL, which counts as a crash: ``revive`` starts the child again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def trim_log(self) -> None:
        """Sets aside what the log holds if that is much. The child appends, so it goes on at the new end.

        What it writes just between the copy and the cut is lost. Without room for the copy, the log stays as it is.
        """
        log = self.spec.log
        with suppress(OSError):
            if log.stat().st_size > LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".old.log"))
                os.truncate(log, 0)

    def log_tail(self, lines: int = 15) -> str:
        """Returns the last lines of the log."""
        with suppress(OSError):
            return "\n".join(self.spec.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return ""
