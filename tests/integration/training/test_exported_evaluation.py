"""An exported model is evaluated by its name, and scores as its checkpoint does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cascade.evaluation.restorers import load
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import LITE

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("stages", [1, 2])
def test_an_exported_model_restores_the_same_frames_as_its_checkpoint(tmp_path: Path, stages: int) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "weights.pt"
    checkpoint.save(weights, Cascade(replace(LITE, stages=stages)))
    command = [
        sys.executable,
        "-m",
        "export",
        "--checkpoint",
        weights,
        "--name",
        "mine",
        "--output",
        tmp_path,
        "--precision",
        "fp32",
    ]
    subprocess.run([*map(str, command)], check=True, capture_output=True)

    video = np.random.default_rng(0).integers(0, 256, (13, 68, 90, 3), dtype=np.uint8)
    wanted = range(1, 12)
    exported, original = (
        load(name, tmp_path).fit(video, video, wanted)(video, wanted) for name in ("mine", str(weights))
    )
    assert (len(exported), len(original)) == (1, stages)
    np.testing.assert_allclose(exported[0].astype(int), original[-1], atol=1)
