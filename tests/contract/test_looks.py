"""Several looks give the same bytes in an evaluation and in the service, which share no code."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cascade.evaluation.looks import LOOKS, several_looks
from cascade.evaluation.restorers import onnx_restorer
from service.inference import looks as service
from service.inference.engine import Frames, Stopped, never
from service.inference.onnx import OnnxEngine
from tests.support.fake_engines import IdentityEngine
from tests.support.window_restorer import WINDOW, mark_places

LITE = Path("model_repository/cdvd_lite")


class PlaceEngine(IdentityEngine):
    """Restores a window as the evaluation's restorer for tests does: differently for every turned window."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        super().restore(window, stopped)
        return mark_places(window)[-1]


def test_both_turn_windows_by_the_same_axes() -> None:
    assert service.LOOKS == LOOKS


@pytest.mark.parametrize("looks", sorted(LOOKS))
def test_both_return_the_same_bytes(looks: int) -> None:
    with closing(service.SeveralLooks(PlaceEngine(), looks)) as engine:
        served = engine.restore(WINDOW)
    evaluated = several_looks(mark_places, looks)(WINDOW)[-1]
    assert (evaluated.dtype, evaluated.shape) == (served.dtype, served.shape)
    assert evaluated.tobytes() == served.tobytes()
    if looks > 1:
        assert not np.array_equal(served, mark_places(WINDOW)[-1])


@pytest.mark.parametrize("looks", [1, 4])
def test_both_return_the_same_bytes_with_the_shipped_model(looks: int) -> None:
    with closing(service.SeveralLooks(OnnxEngine(LITE, threads=1), looks)) as engine:
        served = engine.restore(WINDOW)
    (evaluated,) = onnx_restorer(LITE / "1" / "model.onnx", looks)(WINDOW, range(2, 4))
    assert evaluated.tobytes() == served.tobytes()
