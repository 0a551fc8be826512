from __future__ import annotations

import pytest

from service.options import JobOptions
from service.quality import ModelChoice, QualityModels

MODELS = QualityModels("cdvd_lite", "cdvd_base")


@pytest.mark.parametrize(
    ("texts", "choice"),
    [
        ({}, ModelChoice("cdvd_lite", 4, "good")),
        ({"quality": "fast"}, ModelChoice("cdvd_lite", 1, "fast")),
        ({"quality": "good"}, ModelChoice("cdvd_lite", 4, "good")),
        ({"quality": "best"}, ModelChoice("cdvd_base", 4, "best")),
        ({"looks": "2"}, ModelChoice("cdvd_lite", 2)),
        ({"model": "mine"}, ModelChoice("mine", 1)),
        ({"model": "mine", "looks": "4"}, ModelChoice("mine", 4)),
    ],
)
def test_what_is_asked_for_chooses_model_and_looks(texts: dict[str, str], choice: ModelChoice) -> None:
    assert JobOptions.from_text(texts).choice(MODELS, usual="good") == choice


@pytest.mark.parametrize(
    ("light", "heavy", "quality"),
    [
        (1000.0, 400.0, "best"),
        (1000.0, 399.0, "good"),
        (399.0, 0.0, "fast"),
        (0.0, 0.0, "fast"),
        (0.0, 400.0, "best"),
    ],
)
def test_the_best_quality_that_keeps_up_is_chosen(light: float, heavy: float, quality: str) -> None:
    rates = {"cdvd_lite": light, "cdvd_base": heavy}

    assert MODELS.best_in_time(lambda model: rates[model], pixels_per_second=100.0) == quality
