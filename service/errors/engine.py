"""Errors of the engine that runs the network."""

from __future__ import annotations

from service.errors.base import ServiceError


class EngineError(ServiceError):
    """Base of what an engine fails with."""

    code = "engine_error"


class EngineUnavailable(EngineError):
    """The engine cannot be reached; the job waits and does not fail at once."""

    code = "engine_unavailable"


class InferenceFailed(EngineError):
    """The engine refused or failed this window."""

    code = "inference_failed"


class OutOfMemory(InferenceFailed):
    """The engine found no memory for this window; smaller parts may do."""

    code = "out_of_memory"


class PrecisionTooLow(EngineError):
    """The engine's pictures differ from those of the model."""

    code = "precision_too_low"


class DeviceUnavailable(EngineError):
    """The device that windows are to be restored on cannot be used here."""

    code = "device_unavailable"


class InvalidDevice(EngineError, ValueError):
    """The name of a device is none."""

    code = "invalid_device"


class ModelNotFound(EngineError):
    """The service has no model of this name."""

    code = "model_not_found"
