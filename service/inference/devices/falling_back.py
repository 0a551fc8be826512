"""An engine that goes on with the next device of its order when one fails in the midst of a job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from service.devices.names import CPU
from service.devices.placement import Placement
from service.errors.engine import DeviceUnavailable, EngineError, InferenceFailed, OutOfMemory
from service.inference.devices.placing import DeviceSettings, Placed, place
from service.inference.engine import DeblurEngine, Frames, Stopped, never
from service.inference.precision import check_precision

log = logging.getLogger(__name__)


Lost = Callable[[str], None]
"""Told why an accelerator computes nothing any more. After some errors that lasts until the process is a new one."""


def _ignored(_reason: str) -> None:
    """Goes on: every window will fail."""


class FallingBack:
    """Restores windows where the model was placed. Implements ``DeblurEngine``.

    Only what the order names is used: with one device a failure is the job's failure.
    """

    def __init__(self, directory: Path, settings: DeviceSettings, lost: Lost = _ignored) -> None:
        """``lost`` is called when a window fails that no other device may take, and the reference window does too.

        Raises what `place` raises.
        """
        self._directory = directory
        self._settings = settings
        self._lost = lost
        self._placed = place(directory, settings)
        self._left: list[DeblurEngine] = []
        self._moving = threading.Lock()

    @property
    def placement(self) -> Placement:
        """Where the model runs now."""
        return self._placed.placement

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        placed = self._placed
        try:
            return placed.engine.restore(window, stopped)
        except OutOfMemory:
            raise  # smaller parts may do, on the same device
        except (InferenceFailed, DeviceUnavailable) as error:
            if placed.others is None:
                self._examine(placed, error)
                raise
            return self._moved(placed, error).engine.restore(window, stopped)

    def close(self) -> None:
        for engine in (*self._left, self._placed.engine):
            engine.close()

    def _examine(self, failed: Placed, error: EngineError) -> None:
        """Finds out whether it was the window or the device."""
        if failed.placement.device == CPU:
            return
        try:
            check_precision(failed.engine, self._directory)
        except EngineError:
            self._lost(str(error))

    def _moved(self, failed: Placed, error: EngineError) -> Placed:
        """Returns where the model runs from now on, until this process ends; other callers may have moved it before."""
        with self._moving:
            if self._placed is failed and failed.others is not None:
                log.error("A device failed, and the next one takes over: %s", error)
                settings = replace(self._settings, order=failed.others)
                self._placed = place(self._directory, settings, known=(str(error),))
                self._left.append(failed.engine)  # others may still wait there
                log.warning("%s", self._placed.placement.line)
            return self._placed
