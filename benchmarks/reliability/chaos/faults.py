"""What goes wrong, one thing at a time."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.reliability.chaos.clock import COMPILER
from benchmarks.reliability.chaos.links import State
from benchmarks.reliability.chaos.stack import Stack

Fault = Callable[[Stack, random.Random], None]
LONGEST_STOP_S = 14.0
"""Longer than a claim lives: what was stopped finds its steps taken over."""
LONGEST_STEP_S = 600
"""Of a clock, ahead or back."""
TORN_BYTES = 200
"""Of the end of Redis' log, which is written to disk once a second."""


def _kill(part: str) -> Fault:
    def fault(stack: Stack, _chance: random.Random) -> None:
        _send(stack, part, signal.SIGKILL)

    return fault


def _stop(part: str, longest_s: float) -> Fault:
    def fault(stack: Stack, chance: random.Random) -> None:
        process = stack.part(part)
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            process.suspend()
            time.sleep(chance.uniform(0.5, longest_s))
            process.resume()

    return fault


def _restart(part: str) -> Fault:
    def fault(stack: Stack, _chance: random.Random) -> None:
        _send(stack, part, signal.SIGTERM)

    return fault


def link_faults(*bad: tuple[str, str, State]) -> dict[str, Fault]:
    """Returns a fault for each name of a link, word for what happens to it, and state that it is in for a while."""
    return {f"link of {parts} {what}": _link(parts, state) for parts, what, state in bad}


def _link(parts: str, state: State) -> Fault:
    def fault(stack: Stack, chance: random.Random) -> None:
        stack.links[parts].become(state)
        time.sleep(chance.uniform(0.5, LONGEST_STOP_S))
        stack.links[parts].become(State.GOOD)

    return fault


def _step_clock(stack: Stack, chance: random.Random) -> None:
    """Of both hosts, which agree."""
    seconds = chance.randint(-LONGEST_STEP_S, LONGEST_STEP_S)
    stack.clock.step(seconds)
    stack.other_clock.step(seconds)


def _step_other(stack: Stack, chance: random.Random) -> None:
    stack.other_clock.step(chance.randint(-LONGEST_STEP_S, LONGEST_STEP_S))


def _kill_all(stack: Stack, _chance: random.Random) -> None:
    stack.kill_all()


def _lose_power(stack: Stack, chance: random.Random) -> None:
    number = int(stack.data.name.rpartition("-")[2]) + 1
    stack.lose_power(stack.data.with_name(f"data-{number}"))
    _tear(stack.data / "redis", chance.randrange(TORN_BYTES))


def _tear(directory: Path, lost: int) -> None:
    """Cuts the end off the log that Redis appends to."""
    logs = [path for path in directory.rglob("*.aof") if ".base." not in path.name]
    log = max(logs, key=lambda path: path.stat().st_mtime_ns)
    with log.open("r+b") as file:
        file.truncate(max(0, log.stat().st_size - lost))


FAULTS: dict[str, Fault] = {
    "worker killed": _kill("worker"),
    "second worker killed": _kill("second worker"),
    "second gateway killed": _kill("second gateway"),
    "gateway killed": _kill("gateway"),
    "Redis killed": _kill("redis"),
    "everything killed": _kill_all,
    "power lost: a copy of the data goes on, without the end of Redis' log": _lose_power,
    "worker stopped for a while": _stop("worker", LONGEST_STOP_S),
    "second worker stopped for a while": _stop("second worker", LONGEST_STOP_S),
    "gateway stopped for a while": _stop("gateway", 5.0),
    "Redis stopped for a while": _stop("redis", 5.0),
    "Redis restarted": _restart("redis"),
    "worker restarted": _restart("worker"),
    **link_faults(
        ("second worker and Redis", "stalled for a while", State.STALLED),
        ("second worker and Redis", "broken for a while", State.BROKEN),
        ("second worker and Redis", "slow for a while", State.SLOW),
        ("second gateway and Redis", "stalled for a while", State.STALLED),
        ("second gateway and Redis", "broken for a while", State.BROKEN),
        ("second worker and Triton", "stalled for a while", State.STALLED),
        ("second worker and Triton", "broken for a while", State.BROKEN),
    ),
    **({"clock stepped": _step_clock, "clock of the second host stepped": _step_other} if COMPILER else {}),
}
LOSES_A_MOMENT = frozenset({"power lost: a copy of the data goes on, without the end of Redis' log"})
"""After these, jobs that were accepted in the last moment may be unknown."""


def _send(stack: Stack, part: str, number: signal.Signals) -> None:
    process = stack.part(part)
    if process is not None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
