"""A worker whose engine computes something else than the model says does not serve."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import identity_graph, write_model

pytestmark = pytest.mark.integration


def test_a_worker_ends_before_it_takes_work_and_says_why(tmp_path: Path) -> None:
    model = write_model(tmp_path, identity_graph())
    picture = np.zeros((64, 80, 3), np.uint8)
    np.savez_compressed(model / "reference.npz", picture=picture, step=4, restored=picture[None, :, 8:-8] + 3)
    (model / "model.json").write_text(json.dumps({"min_psnr": 50}))
    nobody = tmp_path / "no-redis.sock"  # it does not come as far as asking
    settings = {"CDVD_MODELS": tmp_path, "CDVD_MODEL": "tiny", "CDVD_REDIS_URL": f"unix://{nobody}?db=0"}

    ended = subprocess.run(
        [sys.executable, "-m", "service.worker"],
        env={**os.environ, **{name: str(value) for name, value in settings.items()}},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == os.EX_CONFIG
    assert "'tiny' is 38.6 dB from the FP32 graph's; at least 50 dB are due" in ended.stdout + ended.stderr
