"""The recipe gpu on a CPU, as a process: two networks side by side, interrupted, and resumed to its end."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import BASE, LITE

pytestmark = pytest.mark.integration

_DEADLINE = 240.0
_ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
_SMALL = ("crop=64", "batch=1", "displacement=8.0", "blur=[1.0,6.0]", "large_motion_share=0.0", "warmup=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs and weights of lite to start from."""
    folder = tmp_path_factory.mktemp("timed")
    (folder / "photos").mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        picture = np.zeros((640, 640, 3), np.float32)
        for cells in (5, 20, 80, 320):
            noise = rng.random((cells, cells, 3), dtype=np.float32)
            picture += cv2.resize(noise, (640, 640), interpolation=cv2.INTER_LINEAR) * 60
        cv2.imwrite(str(folder / "photos" / f"{index}.png"), picture.clip(0, 255).astype(np.uint8))
    torch.manual_seed(0)
    checkpoint.save(folder / "start.pt", Cascade(LITE))
    return folder


def _command(*more: str) -> list[str]:
    """Trains lite from the weights and base, wider, from the same ones."""
    networks = [word for name in ("lite", "base") for word in ("--preset", name, "--init", "start.pt")]
    settings = [word for setting in _SMALL for word in ("--set", f"cascade.{setting}")]
    files = ["--photos", "photos", "--output", "run"]
    machine = ["--device", "cpu", "--workers", "1", "--ring", "6"]
    command = [sys.executable, "-m", "cascade.train", "--recipe", "gpu", *networks, "--widen"]
    return [*command, *files, *machine, *settings, *more]


def _records(folder: Path) -> list[dict[str, Any]]:
    log = folder / "run" / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*more),
        cwd=folder,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE,
    )


def _interrupted(folder: Path) -> int:
    """Starts a training of hours, ends it by SIGTERM after its first steps, and returns how many they were."""
    training = subprocess.Popen(
        _command("--minutes", "300"), cwd=folder, env=_ENVIRONMENT, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + _DEADLINE
        while not _records(folder):
            assert training.poll() is None, "the training ended by itself"
            assert time.monotonic() < end
            time.sleep(0.1)
        training.send_signal(signal.SIGTERM)
        assert training.wait(_DEADLINE) == 0
    finally:
        training.kill()
        training.wait()
    return int(checkpoint.read(folder / "run" / "checkpoint.pt")["progress"]["step"])


@pytest.mark.timeout(600)
def test_networks_train_side_by_side_and_go_on_where_they_were_interrupted(folder: Path) -> None:
    steps = _interrupted(folder)
    assert steps >= 1
    before = checkpoint.read(folder / "run" / "checkpoint.pt")

    ran = _run(folder, "--resume", "--steps", str(steps + 2), "--profile")

    assert ran.returncode == 0, ran.stderr
    assert "sets the pace." in ran.stderr
    assert "A step of base, by kernel:" in ran.stderr
    records = _records(folder)
    assert [record["step"] for record in records[-1:]] == [steps + 2]
    assert {"lite_stage2", "base_stage2", "lite_rate", "waiting", "made_per_s", "samples_per_s"} < {
        *records[-1]
    }
    assert all(math.isfinite(value) for record in records for value in record.values() if value != "cascade")
    assert records[-1]["seconds"] > records[0]["seconds"]
    after = checkpoint.read(folder / "run" / "checkpoint.pt")
    assert after["samples"] >= before["samples"] + 4
    start = checkpoint.load(folder / "start.pt").state_dict()
    for name in ("lite", "base"):
        for stage in (before, after):
            assert all(tensor.isfinite().all() for tensor in stage[f"{name} weights"].values())
        changed = [
            not torch.equal(t, after[f"{name} weights"][n]) for n, t in before[f"{name} weights"].items()
        ]
        assert np.mean(changed) > 0.9
        assert after[f"{name} count"]["count"] == steps + 2
    lite, base = (checkpoint.load(folder / "run" / f"{name}.pt") for name in ("lite", "base"))
    assert (lite.config, base.config) == (LITE, BASE)
    assert any(not torch.equal(tensor, start[name]) for name, tensor in lite.state_dict().items())
    assert all(path.stat().st_size < 16 * 2**20 for path in (folder / "run").iterdir())
    assert sum(path.name.startswith("base.") for path in (folder / "run").iterdir()) == 2
