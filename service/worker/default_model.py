"""Loads the default model before the worker takes work."""

from __future__ import annotations

import logging
import os
import threading
from typing import NoReturn

from service.errors.base import ServiceError
from service.errors.engine import EngineUnavailable, PrecisionTooLow
from service.worker.engines import EngineCache

log = logging.getLogger(__name__)

PAUSE_S = 5.0
"""Seconds between attempts to load the model while its engine is unavailable."""


def load_default_model(engines: EngineCache, model: str, stopping: threading.Event) -> None:
    """Loads a model; while its engine is unavailable, goes on trying in the background until ``stopping`` is set.

    A worker without the model still serves others. Ends the process if the engine computes something else than the
    model.
    """

    def keep_trying() -> None:
        while not stopping.wait(PAUSE_S) and not _load(engines, model):
            pass

    if not _load(engines, model):
        threading.Thread(target=keep_trying, name="load", daemon=True).start()


def _load(engines: EngineCache, model: str) -> bool:
    """Returns whether the answer is final; an engine that is unavailable may come back."""
    try:
        engines.get(model)
    except EngineUnavailable as error:
        log.warning("The default model is tried again: %s", error)
        return False
    except PrecisionTooLow as error:
        _refuse_to_serve(error)
    except ServiceError as error:
        log.error("The default model is not available: %s", error)
    return True


def _refuse_to_serve(error: PrecisionTooLow) -> NoReturn:
    """Ends the process, from whichever thread: a worker with a wrong engine must not restore anything."""
    log.critical("This worker does not serve: %s", error)
    logging.shutdown()
    os._exit(os.EX_CONFIG)
