"""Chooses what restores a video: the model, and how many times it looks."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors.engine import ModelNotFound
from service.estimates.estimate import Estimator
from service.model_catalog import ModelCard, ModelCatalog
from service.options import RestorationOptions
from service.quality import DefaultQuality, ModelChoice, Quality, QualityModels


@dataclass(frozen=True)
class Chooser:
    """Knows the installed models and what was measured of them."""

    catalog: ModelCatalog
    qualities: QualityModels
    usual: DefaultQuality
    estimator: Estimator

    def check(self, options: RestorationOptions) -> ModelCard:
        """Returns the model that is asked for, before the video is known. Raises ModelNotFound."""
        return self._card(options.choice(self.qualities, "fast"))

    def choose(self, options: RestorationOptions, pixels_per_second: float | None) -> ModelChoice:
        """Returns what restores a video of so many pixels per second, at its own speed; None is unknown.

        Raises ModelNotFound and BrokerUnavailable.
        """
        choice = options.choice(self.qualities, self._usual(pixels_per_second))
        self._card(choice)
        return choice

    def _usual(self, pixels_per_second: float | None) -> Quality:
        if self.usual != "auto":
            return self.usual
        if pixels_per_second is None:
            return "fast"
        best = self.qualities.best_in_time(self.estimator.server_rate, pixels_per_second)
        installed = {card.name for card in self.catalog.models()}
        return best if self.qualities.choice(best).model in installed else "fast"

    def _card(self, choice: ModelChoice) -> ModelCard:
        try:
            return self.catalog.require(choice.model)
        except ModelNotFound as error:
            if choice.quality is None:
                raise
            raise ModelNotFound(
                f"The quality {choice.quality} needs the model {choice.model!r}, which is not installed."
            ) from error
