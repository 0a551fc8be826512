"""Where a training stands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Progress:
    """Where a training stands: enough to continue with the next batch. Checkpoints keep it by its fields' names."""

    phase: int = 0
    """Number of the phase, from 0; that of all phases when the training is finished."""
    step: int = 0
    """Steps done in this phase."""
    seconds: float = 0.0
    """Time trained, validations and saves included."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Validations so far: the learning curve."""
    skipped: int = 0
    """Steps that changed nothing because a gradient was not finite."""
