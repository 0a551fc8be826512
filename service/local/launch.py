"""Runs a command that ends with its parent: ``python launch.py <parent pid> <signal> <command> ...``.

It is a script of its own, because a process with threads should run no Python between fork and exec. The setting that
has the kernel send the signal survives exec.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Asks the kernel for the signal, then becomes the command."""
    parent, death_signal, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The parent ended before the command was started.")
    os.execv(command[0], command)


main()
