"""From a checkpoint to a verified model repository, by the command that users run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cascade.evaluation.onnx_session import open_session
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import LITE
from export import verify
from export.graph import WindowGraph
from export.onnx import write_onnx
from export.precision import half_precision
from service.inference.onnx import OnnxEngine
from service.inference.precision import check_precision
from tests.support.graphs import float_graph, write_model
from tests.support.parity import reference, released_state

pytestmark = pytest.mark.integration


def _export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_released_checkpoint_becomes_a_graph_that_reproduces_the_reference(tmp_path: Path) -> None:
    released, model = tmp_path / "released.pt", tmp_path / "cdvd_paper"
    torch.save(released_state(), released)
    result = _export(
        *("--checkpoint", released, "--name", model.name, "--output", tmp_path),
        *("--preset", "paper", "--precision", "fp32"),
    )
    assert result.returncode == 0, result.stderr
    assert 'default_model_filename: "model.onnx"' in (model / "config.pbtxt").read_text()
    assert "fp16" not in json.loads((model / "model.json").read_text())

    expected = reference()
    session = open_session(model / "1" / "model.onnx")
    (restored,) = session.run(None, {"frames": expected.frames})
    assert np.abs(restored - np.clip(expected.restored, 0, 1) * 255).max() <= 0.6

    with torch.no_grad():
        pytorch = WindowGraph(checkpoint.load(released))(torch.from_numpy(expected.frames)).numpy()
    difference = np.abs(restored.astype(int) - pytorch)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 1e-3


def test_an_export_describes_itself_and_keeps_the_model_card(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    checkpoint.save(weights, Cascade(LITE))
    card = tmp_path / "repository" / "mine" / "README.md"
    card.parent.mkdir(parents=True)
    card.write_text("my card")
    result = _export("--checkpoint", weights, "--name", "mine", "--output", tmp_path / "repository")
    assert result.returncode == 0, result.stderr
    assert "verified" in result.stdout

    described = json.loads((card.parent / "model.json").read_text())
    assert described["name"] == "mine"
    assert described["stages"] == 2
    assert described["opset"] == 17
    assert described["fp16"]["psnr"] >= described["min_psnr"] == 50
    assert card.read_text() == "my card"
    assert {str(path.relative_to(card.parent)) for path in card.parent.rglob("*") if path.is_file()} == {
        "1/flow.onnx",
        "1/model.onnx",
        "1/model_fp16.onnx",
        "1/restoration.onnx",
        "README.md",
        "config.pbtxt",
        "configs/cpu.pbtxt",
        "configs/fp32.pbtxt",
        "configs/tensorrt.pbtxt",
        "model.json",
        "reference.npz",
    }
    check_precision(OnnxEngine(card.parent), card.parent)
    assert [path.name for path in card.parent.parent.iterdir()] == ["mine"]


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    checkpoint.save(weights, Cascade(LITE))
    result = _export(
        "--checkpoint", weights, "--name", "x", "--output", tmp_path / "out", "--preset", "paper"
    )
    assert result.returncode == 1
    assert "holds a 'lite' network, not 'paper'" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FP32 graph of `_one_stage`."""
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    write_onnx(_one_stage(), path, opset=17)
    return path


def _one_stage(bias: float | None = None) -> Cascade:
    """The same light network every time; with ``bias``, one whose pictures are brighter."""
    torch.manual_seed(0)
    cascade = Cascade(replace(LITE, stages=1)).eval()
    if bias is not None:
        torch.nn.init.constant_(cascade.stage.restoration.body.leave[-1].bias, bias)
    return cascade


def test_verification_notices_other_weights_and_another_signature(graph: Path, tmp_path: Path) -> None:
    verify.check_signature(graph)
    verify.compare(_one_stage(), graph)

    with pytest.raises(verify.VerificationError, match="differ"):
        verify.compare(_one_stage(bias=0.1), graph)

    with pytest.raises(verify.VerificationError, match="the configurations state"):
        verify.check_signature(write_model(tmp_path, float_graph()) / "1" / "model.onnx")


def test_half_precision_that_is_too_far_off_is_not_exported(graph: Path, tmp_path: Path) -> None:
    write_onnx(half_precision(_one_stage(bias=0.1)), tmp_path / "half.onnx", opset=17)

    with pytest.raises(verify.VerificationError, match=r"dB from FP32, 50 dB are due"):
        verify.compare_precision(_one_stage(), graph, tmp_path / "half.onnx")
