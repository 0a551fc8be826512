"""Ends commands on Ctrl-C: the first one tidies up and tells how to go on, the second one ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TypeVar

from service.cli.output.lines import note

T = TypeVar("T")
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def second_ends_at_once() -> Iterator[None]:
    """Lets the second Ctrl-C during the block end the process without tidying up; children end with it.

    Leaves Ctrl-C alone where it is ignored, as in the background of a shell, and outside the main thread.
    """
    usual = signal.default_int_handler
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not usual
    ):
        yield
        return

    def tidy(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, _end)
        usual(number, frame)

    signal.signal(signal.SIGINT, tidy)
    try:
        yield
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, usual)


@contextmanager
def advising(advice: Callable[[], str]) -> Iterator[None]:
    """Tells how to go on when the block is interrupted or terminated."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        note(f"Interrupted. {advice()}")
        raise


def interruptible(do: Callable[[], T], tidy: Callable[[], None]) -> T:
    """Returns what ``do`` returns. Ctrl-C calls ``tidy`` and ends the process, without waiting for a library
    that computes in its midst.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(do())
        except BaseException as error:  # noqa: BLE001  # raised again where the outcome is asked for
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        tidy()
        note("Interrupted. The same command begins anew.")
        leave(INTERRUPTED)


def leave(code: int) -> NoReturn:
    """Ends the process once all ``with`` blocks have, without the interpreter's own tidying: where other work fills the
    processor, that takes longer than everything before it.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may have gone
            stream.flush()
    os._exit(code)


def _end(_number: int, _frame: FrameType | None) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(_SHOW_CURSOR)
        sys.stderr.flush()
    os._exit(INTERRUPTED)
