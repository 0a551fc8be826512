"""The kinds of service that are mistreated, and what can be done to each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.chaos import faults, sentinels
from benchmarks.reliability.chaos.object_store import FAULTS as STORE_FAULTS
from benchmarks.reliability.chaos.object_store import ObjectStoreStack
from benchmarks.reliability.chaos.sentinels import SentinelStack
from benchmarks.reliability.chaos.stack import Stack


@dataclass(frozen=True)
class Scene:
    """A kind of service, and what can be done to it."""

    stack: Callable[[Path, Path, str], Any]
    faults: Mapping[str, Callable[[Any, random.Random], None]]
    loses_a_moment: frozenset[str]
    """Faults after which jobs that were accepted in the last moment may be unknown."""
    unaware_s: tuple[float, ...] = ()
    """Seconds after such a fault up to which something may still be accepted in vain."""


DISK = Scene(Stack, faults.FAULTS, faults.LOSES_A_MOMENT)
SCENES = {
    "disk": DISK,
    "s3": Scene(ObjectStoreStack, {**faults.FAULTS, **STORE_FAULTS}, faults.LOSES_A_MOMENT),
    "sentinels": Scene(SentinelStack, sentinels.FAULTS, sentinels.LOSES_A_MOMENT, (0.0, 2.4, 4.8)),
}
"""By name: files on one disk, files in an object store, a Redis with a replica and three Sentinels."""
