"""The training command as a process: killed, interrupted and resumed, it arrives at the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from cascade.network import checkpoint

pytestmark = pytest.mark.integration

_DEADLINE = 240.0
_STEPS = 5
"""Of the second phase: some before it is interrupted, and some after."""
_ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with detail at every scale, enough of them that some are to train on."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for index in range(4):
        picture = np.zeros((640, 640, 3), np.float32)
        for cells in (5, 20, 80, 320):
            noise = rng.random((cells, cells, 3), dtype=np.float32)
            picture += cv2.resize(noise, (640, 640), interpolation=cv2.INTER_LINEAR) * 60
        cv2.imwrite(str(folder / f"{index}.png"), picture.clip(0, 255).astype(np.uint8))
    return folder


def _arguments(photos: Path, output: Path) -> list[str]:
    common = ["--recipe", "smoke", "--photos", str(photos), "--output", str(output), "--device", "cpu"]
    return [*common, "--save-minutes", "0", "--set", f"cascade.steps={_STEPS}"]


def _command(photos: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "cascade.train", *_arguments(photos, output), *more]


def _train(photos: Path, output: Path, *more: str) -> None:
    command = _command(photos, output, *more)
    subprocess.run(command, env=_ENVIRONMENT, check=True, timeout=_DEADLINE, stderr=subprocess.DEVNULL)


def _started(photos: Path, output: Path) -> subprocess.Popen[bytes]:
    """Held in its second phase; in a process group of its own, as a terminal starts it."""
    held = [sys.executable, "-m", "tests.support.held_training", str(_gate(output))]
    return subprocess.Popen(
        [*held, *_arguments(photos, output)],
        env=_ENVIRONMENT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )


def _gate(output: Path) -> Path:
    """A training that is held goes on when this file exists."""
    return output.with_name("gate")


def _state(output: Path) -> dict[str, Any]:
    return checkpoint.read(output / "checkpoint.pt")


def _wait_until(reached: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _DEADLINE
    while not reached():
        assert process.poll() is None, "the training ended before it was interrupted"
        assert time.monotonic() < end
        time.sleep(0.02)


def _in_second_phase(output: Path) -> Callable[[], bool]:
    """Whether a save shows some steps of the second phase."""

    def reached() -> bool:
        if not (output / "checkpoint.pt").exists():
            return False
        progress = _state(output)["progress"]
        return bool(progress["phase"] == 1 and progress["step"] >= 2)

    return reached


def _assert_same_weights(output: Path, whole: Path) -> None:
    for name in ("checkpoint.pt", "weights.pt"):
        expected = checkpoint.read(whole / name)["weights"]
        for key, tensor in checkpoint.read(output / name)["weights"].items():
            assert torch.equal(tensor, expected[key]), f"{key} in {name}"


@pytest.fixture(scope="module")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a training that nothing disturbed."""
    output = tmp_path_factory.mktemp("whole") / "run"
    _train(photos, output)
    return output


@pytest.fixture
def training(photos: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training of the same recipe into ``tmp_path / "run"``, some steps into its second phase."""
    process = _started(photos, tmp_path / "run")
    try:
        _wait_until(_in_second_phase(tmp_path / "run"), process)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_training_killed_at_any_moment_resumes_to_the_same_weights(
    training: subprocess.Popen[bytes], photos: Path, whole: Path, tmp_path: Path
) -> None:
    os.killpg(training.pid, signal.SIGKILL)
    assert training.wait() == -signal.SIGKILL
    assert _state(tmp_path / "run")["progress"]["step"] < _STEPS
    _train(photos, tmp_path / "run", "--resume")
    _assert_same_weights(tmp_path / "run", whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_before_it_stops(
    number: signal.Signals, training: subprocess.Popen[bytes], photos: Path, whole: Path, tmp_path: Path
) -> None:
    os.killpg(training.pid, number)
    _gate(tmp_path / "run").touch()
    assert training.wait(timeout=_DEADLINE) == 0
    progress = _state(tmp_path / "run")["progress"]
    assert (progress["phase"], progress["step"] < _STEPS) == (1, True)
    _train(photos, tmp_path / "run", "--resume")
    _assert_same_weights(tmp_path / "run", whole)


def test_a_finished_training_is_not_overwritten(whole: Path, photos: Path) -> None:
    before = (whole / "checkpoint.pt").read_bytes()
    result = subprocess.run(
        _command(photos, whole),
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE,
    )
    assert result.returncode == 1
    assert "holds a training already" in result.stderr
    assert (whole / "checkpoint.pt").read_bytes() == before
