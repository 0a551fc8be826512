"""Every model of the repository is what it says it is, and gives what its checkpoint gives."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import coffee

from cascade.evaluation.metrics import protocol_crop, psnr
from cascade.evaluation.onnx_session import open_session
from cascade.network import checkpoint
from cascade.network.config import PRESETS
from cascade.synthesis.demo_clip import render_demo_clip
from export.graph import WindowGraph
from export.verify import check_signature
from service.config import default_models
from service.model_catalog import ModelCatalog

pytestmark = pytest.mark.integration

MODELS = sorted(path.parent for path in default_models().glob("*/model.json"))
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)


@cache
def clip() -> tuple[np.ndarray, np.ndarray]:
    """Returns seven frames and their truth, uint8 [7, 192, 256, 3] RGB; the inner three are blurred, at 26 dB."""
    frames, truth = render_demo_clip(coffee(), frames=16, height=192, width=256, seed=0)
    return frames[2:9], truth[2:9]


@each_model
def test_the_graph_gives_what_the_checkpoint_gives(model: Path) -> None:
    blurred, truth = clip()
    network = checkpoint.load(model / "checkpoint.pt")
    with torch.no_grad():
        trained = WindowGraph(network)(torch.from_numpy(blurred)).numpy()
    before, after = mean_psnr(blurred[2:-2], truth), mean_psnr(trained, truth)

    assert network.config == PRESETS[network.config.preset]
    assert after > before + 1
    for graph in ("model.onnx", "model_fp16.onnx"):
        (served,) = open_session(model / "1" / graph).run(None, {"frames": blurred})
        assert mean_psnr(served, truth) == pytest.approx(after, abs=0.03), graph


@each_model
def test_it_is_what_its_card_says(model: Path) -> None:
    described = json.loads((model / "model.json").read_text())
    graph = (model / "1" / "model.onnx").read_bytes()
    half = (model / "1" / "model_fp16.onnx").read_bytes()
    check_signature(model / "1" / "model.onnx")

    assert hashlib.sha256(graph).hexdigest() == described["sha256"]
    assert hashlib.sha256(half).hexdigest() == described["fp16"]["sha256"]
    assert described["sha256"] in (model / "README.md").read_text()
    assert f"{described['parameters']:,} parameters" in (model / "README.md").read_text()


def test_the_catalog_says_what_each_model_is_for() -> None:
    cards = {card.name: card for card in ModelCatalog(default_models()).models()}

    assert {"cdvd_base", "cdvd_lite"} <= set(cards)
    for card in cards.values():
        assert card.description.startswith("For ")
        assert card.description.endswith(".")


@each_model
def test_a_still_sharp_video_is_left_alone(model: Path) -> None:
    sharp = coffee()[100:292, 200:456]
    (restored,) = open_session(model / "1" / "model.onnx").run(None, {"frames": np.stack([sharp] * 7)})

    assert min(psnr(frame, sharp) for frame in restored) > 44


def mean_psnr(frames: np.ndarray, truth: np.ndarray) -> float:
    """Returns the mean PSNR in dB of the inner frames of `clip`."""
    pairs = zip(protocol_crop(frames), protocol_crop(truth[2:-2]), strict=True)
    return float(np.mean([psnr(frame, sharp) for frame, sharp in pairs]))
