"""Run a command that dies with its parent: ``python launch.py <parent pid> <signal> <command> ...``.

A script of its own, so that the promise is made in the child without running Python between fork and exec of a
process with threads. The promise survives exec.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent was gone before the promise was made")
    os.execv(command[0], command)


main()
