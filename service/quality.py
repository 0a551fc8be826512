"""What a quality stands for: which model restores a video, and how many times it looks at each window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Quality = Literal["fast", "good", "best"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
"""From the fastest to the best."""

DefaultQuality = Literal["auto", "fast", "good", "best"]
"""``auto`` is the best quality at which servers of models keep up with the video's own speed, and else ``fast``."""

LOOKS: dict[Quality, int] = {"fast": 1, "good": 4, "best": 4}
"""Four looks of the light model restore better than one look of the heavy model (docs/evaluation.md)."""


@dataclass(frozen=True)
class ModelChoice:
    """What restores a job. ``quality`` is None if model or looks were asked for by themselves."""

    model: str
    looks: int
    quality: Quality | None = None


@dataclass(frozen=True)
class QualityModels:
    """The names of the models behind the qualities: ``light`` for fast and good, ``heavy`` for best."""

    light: str
    heavy: str

    def choice(self, quality: Quality) -> ModelChoice:
        """Returns what ``quality`` stands for."""
        return ModelChoice(self.heavy if quality == "best" else self.light, LOOKS[quality], quality)

    def best_in_time(self, rate: Callable[[str], float], pixels_per_second: float) -> Quality:
        """Returns the best quality that keeps up with a video, or ``fast`` if none does.

        ``rate``: pixels that a model of this name restores in a second, 0 where nothing was measured.
        ``pixels_per_second``: those of the video at its own speed.
        """
        for quality in reversed(QUALITIES):
            choice = self.choice(quality)
            if rate(choice.model) >= pixels_per_second * choice.looks:
                return quality
        return "fast"
