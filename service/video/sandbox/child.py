"""Runs what parses files from strangers in child processes with hard limits.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from service.errors.video import DamagedVideo, ProbeTimeout

log = logging.getLogger(__name__)

_PACKAGES = Path(__file__).parents[3]
"""Where the package ``service`` lies: the child's working directory, so that it finds the same code."""

_TRACEBACK_CHARACTERS = 2000
"""How much of the end of a traceback an error message or a line of the log holds."""

GIB = 1 << 30

NICENESS = 2
"""Children yield to what answers requests, and still come to an end beside workers that need every core."""


async def run_child(module: str, limits: str, request: str, timeout_s: float) -> bytes:
    """Runs ``python -m module limits`` with ``request`` on its standard input; returns what it writes.

    Raises ProbeTimeout, and DamagedVideo where the decoder crashes.
    The child process is gone when this returns, raises or is canceled.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, limits), cwd=_PACKAGES, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        answer, traceback = await asyncio.wait_for(child.communicate(request.encode()), timeout_s)
    except TimeoutError:
        raise _took_too_long(timeout_s) from None
    finally:
        await _end(child)
    if child.returncode:
        _raise_cause(-child.returncode, traceback, timeout_s)
    if traceback:
        log.warning("%s refused a file for a reason that it did not foresee: %s", module, _end_of(traceback))
    return answer


def restrict(memory: int, timeout_s: float) -> None:
    """Limits this process, a child, also for the case that its parent dies and nobody is left to end it.

    ``memory``: bytes of address space; ``timeout_s``: wall clock and CPU seconds.
    """
    seconds = math.ceil(timeout_s) + 1
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(seconds)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _raise_cause(number: int, traceback: bytes, timeout_s: float) -> NoReturn:
    """Raises the error that the end of a child means. ``number``: its signal; a negative one is an exit status."""
    if number in (signal.SIGALRM, signal.SIGXCPU):
        raise _took_too_long(timeout_s)
    if number > 0:
        raise DamagedVideo("The file makes the decoder crash. It is damaged, or made to do so.")
    raise RuntimeError(f"The child process failed by itself: {_end_of(traceback)}")


def _end_of(traceback: bytes) -> str:
    return traceback.decode(errors="replace")[-_TRACEBACK_CHARACTERS:]


def _took_too_long(timeout_s: float) -> ProbeTimeout:
    return ProbeTimeout(f"Reading the file took longer than the {timeout_s:g} s that are allowed.")
