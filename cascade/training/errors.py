"""What stops a training."""

from __future__ import annotations


class TrainingError(Exception):
    """Raised when a training cannot continue, or not from this checkpoint; the message says why."""
