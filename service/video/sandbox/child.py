"""Looking into files that strangers sent, in child processes with hard limits.

The gateway imports this module, so it loads neither FFmpeg nor numpy.
"""

from __future__ import annotations

import asyncio
import math
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from service.errors.video import DamagedVideo, ProbeTimeout

_PACKAGES = Path(__file__).parents[3]
"""Where the package ``service`` lies: the child's working directory, so that it finds the same code."""

_COMPLAINT = 2000
"""Characters of a traceback that are worth keeping."""


async def run_child(module: str, limits: str, question: str, timeout_s: float) -> bytes:
    """What ``python -m module limits`` writes after reading ``question`` from its standard input.

    Raises ProbeTimeout, and DamagedVideo where the decoder crashes.
    The child process is gone when this returns, raises or is canceled.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, limits), cwd=_PACKAGES, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        answer, complaint = await asyncio.wait_for(child.communicate(question.encode()), timeout_s)
    except TimeoutError:
        raise _took_too_long(timeout_s) from None
    finally:
        await _end(child)
    if child.returncode:
        _explain(-child.returncode, complaint, timeout_s)
    return answer


def restrict(memory: int, timeout_s: float) -> None:
    """Bind this process, a child, in case its parent dies and nobody is left to end it.

    ``memory``: bytes of address space; ``timeout_s``: wall clock and CPU seconds.
    """
    seconds = math.ceil(timeout_s) + 1
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(seconds)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _explain(number: int, complaint: bytes, timeout_s: float) -> NoReturn:
    """Raise what the death of the child means; a negative ``number`` is an exit status, no signal."""
    if number in (signal.SIGALRM, signal.SIGXCPU):
        raise _took_too_long(timeout_s)
    if number > 0:
        raise DamagedVideo("The file makes the decoder crash; it is damaged or made to do so.")
    raise RuntimeError(f"the probe failed by itself: {complaint.decode(errors='replace')[-_COMPLAINT:]}")


def _took_too_long(timeout_s: float) -> ProbeTimeout:
    return ProbeTimeout(f"Looking at the file took longer than the {timeout_s:g} s that are allowed.")
