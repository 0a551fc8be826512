"""Errors of decoding, encoding and joining."""

from __future__ import annotations

from service.errors.base import ServiceError


class PipelineError(ServiceError):
    """Decoding, encoding or joining failed."""

    code = "restoration_failed"


class FidelityLost(PipelineError):
    """The result of a strict job would lack something of its source."""

    code = "fidelity_lost"
