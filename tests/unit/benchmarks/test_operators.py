"""Profiles name the kinds of operators, and their shares add up."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.operators import CONVOLUTIONS, PROFILERS, table
from service.config import default_models


@pytest.mark.parametrize("engine", PROFILERS)
def test_convolutions_of_every_runtime_are_told_from_the_rest(engine: str) -> None:
    graph = default_models() / "cdvd_lite" / "1" / "model.onnx"
    window = np.random.default_rng(1).integers(0, 256, (5, 64, 96, 3), np.uint8)
    shares = PROFILERS[engine](graph, window, 1, 1)

    assert sum(shares.values()) == pytest.approx(100)
    assert 5 < shares[CONVOLUTIONS] < 95
    assert not {"Conv", "FusedConv", "Convolution", "ConvTranspose"} & set(shares)


def test_small_shares_are_one_line() -> None:
    lines = table({"convolutions": 70.0, "GridSample": 29.5, "Exp": 0.3, "Sqrt": 0.2}).splitlines()

    assert [line.split() for line in lines] == [
        ["convolutions", "70.0", "%"],
        ["GridSample", "29.5", "%"],
        ["the", "rest", "0.5", "%"],
    ]
