import json
from pathlib import Path

import numpy as np
import pytest

from service.config import default_models
from service.errors.engine import EngineError, PrecisionTooLow
from service.inference.engine import Frames, Stopped, never
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from service.inference.precision import check_precision, psnr, read_reference
from tests.support.fake_engines import IdentityEngine

SHIPPED = default_models() / "cdvd_lite"


class RoundingEngine(IdentityEngine):
    """Loses the lowest ``bits`` of every value."""

    def __init__(self, bits: int) -> None:
        self._step = 2**bits

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        return super().restore(window, stopped) // self._step * self._step


def model_of_the_identity(directory: Path, min_psnr: float | None = 50.0) -> Path:
    """A model's directory whose reference is that frames stay as they are."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    np.savez_compressed(directory / "reference.npz", picture=picture, step=4, restored=picture[None, :, 8:-8])
    (directory / "model.json").write_text(json.dumps({} if min_psnr is None else {"min_psnr": min_psnr}))
    return directory


@pytest.mark.parametrize("engine", [OnnxEngine, OpenVinoEngine])
def test_the_shipped_model_is_served_as_it_was_exported(engine: type[OnnxEngine | OpenVinoEngine]) -> None:
    opened = engine(SHIPPED, threads=1)
    check_precision(opened, SHIPPED)
    reference = read_reference(SHIPPED / "reference.npz")

    assert psnr(reference.restored, opened.restore(reference.window)) > 65


def test_what_the_reference_shows_is_not_what_an_idle_engine_does() -> None:
    with pytest.raises(PrecisionTooLow, match=r"'cdvd_lite' is \d+\.\d dB .* 50 dB are due"):
        check_precision(IdentityEngine(), SHIPPED)


def test_an_engine_is_refused_when_it_is_further_off_than_the_card_allows(tmp_path: Path) -> None:
    model = model_of_the_identity(tmp_path)
    check_precision(IdentityEngine(), model)
    check_precision(RoundingEngine(bits=1), model)  # half a level on average: 51 dB

    with pytest.raises(PrecisionTooLow, match=r"configs/fp32\.pbtxt"):
        check_precision(RoundingEngine(bits=2), model)


def test_a_model_whose_card_sets_no_limit_is_served(tmp_path: Path) -> None:
    check_precision(RoundingEngine(bits=6), model_of_the_identity(tmp_path, min_psnr=None))


def test_a_damaged_reference_is_no_license_to_serve(tmp_path: Path) -> None:
    model = model_of_the_identity(tmp_path)
    (model / "reference.npz").write_bytes(b"damaged")

    with pytest.raises(EngineError, match=r"reference\.npz cannot be read"):
        check_precision(IdentityEngine(), model)


def test_a_damaged_card_is_no_license_to_serve(tmp_path: Path) -> None:
    model = model_of_the_identity(tmp_path)
    (model / "model.json").write_text('{"min_psnr": "high"}')

    with pytest.raises(EngineError, match=r"model\.json cannot be read"):
        check_precision(IdentityEngine(), model)
