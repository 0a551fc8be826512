"""When a call to a server of others is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass

LONGEST_DELAY_S = 6 * 3600.0
GROWTH = 4
"""Each delay is so many times the one before, up to LONGEST_DELAY_S."""
JITTER = 0.2
"""Delays are up to a fifth longer or shorter, so that not all calls reach a returning server at once."""


@dataclass(frozen=True)
class RetryPlan:
    """How often there is another attempt, and when."""

    first_delay_s: float
    attempts: int

    def delay(self, attempts: int) -> float | None:
        """Returns the seconds to wait after so many attempts; None where there are enough."""
        if attempts >= self.attempts:
            return None
        wanted: float = min(self.first_delay_s * GROWTH ** (attempts - 1), LONGEST_DELAY_S)
        return wanted * random.uniform(1 - JITTER, 1 + JITTER)
