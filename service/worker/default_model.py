"""Loads the default model before the worker takes work."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import NoReturn

from service.errors.base import ServiceError
from service.errors.engine import DeviceUnavailable, EngineUnavailable, PrecisionTooLow
from service.worker.engines import EngineCache

log = logging.getLogger(__name__)

PAUSE_S = 5.0
"""Seconds between attempts to load the model while its engine is unavailable."""


LastWords = Callable[[str], None]
"""Tells the others why this worker takes no work; raises nothing."""


def load_default_model(
    engines: EngineCache, model: str, stopping: threading.Event, last_words: LastWords
) -> None:
    """Loads a model; while its engine is unavailable, goes on trying in the background until ``stopping`` is set.

    A worker without the model still serves others. Ends the process if the engine computes something else than the
    model, or if its device cannot be used; ``last_words`` is told why.
    """

    def keep_trying() -> None:
        while not stopping.wait(PAUSE_S) and not _load(engines, model, last_words):
            pass

    if not _load(engines, model, last_words):
        threading.Thread(target=keep_trying, name="load", daemon=True).start()


def _load(engines: EngineCache, model: str, last_words: LastWords) -> bool:
    """Returns whether the answer is final; an engine that is unavailable may come back."""
    try:
        engines.get(model)
    except EngineUnavailable as error:
        log.warning("The default model is tried again: %s", error)
        return False
    except (DeviceUnavailable, PrecisionTooLow) as error:
        _refuse_to_serve(error, last_words)
    except ServiceError as error:
        log.error("The default model is not available: %s", error)
    return True


def _refuse_to_serve(error: DeviceUnavailable | PrecisionTooLow, last_words: LastWords) -> NoReturn:
    """Ends the process, from whichever thread: a worker with a wrong engine must not restore anything."""
    log.critical("This worker does not serve: %s", error)
    last_words(str(error))
    logging.shutdown()
    os._exit(os.EX_CONFIG)
