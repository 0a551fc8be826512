"""The loop of a timed training: how often it draws a sample, when it ends, and what it says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cascade.training.progress import Progress
from cascade.training.recipes import GPU
from cascade.training.sources import TrainingSample
from cascade.training.timed.pace import describe
from cascade.training.timed.ring import SampleRing
from cascade.training.timed.state import TimedState
from cascade.training.timed.stream import SampleStream, endless
from cascade.training.timed.trainer import TimedOptions, TimedTrainer

_FIRST = 4
"""Samples that are made at once: one batch of the ring."""
_DEADLINE = 120.0


class _GatedSource:
    """Makes a few samples at once, and the others when its gate opens."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def sample(self, seed: int, index: int) -> TrainingSample:
        del seed
        if index >= _FIRST:
            self.gate.wait()
        frames = np.full((5, 8, 8, 3), index % 256, np.uint8)
        return TrainingSample(frames, frames, np.zeros((2, 3, 8, 8, 2), np.float32))


@pytest.fixture
def source() -> _GatedSource:
    return _GatedSource()


@pytest.fixture
def stream(source: _GatedSource) -> Iterator[SampleStream]:
    made = SampleStream(endless(source, seed=0, start=0), batch=1, workers=0, pin_memory=False)
    yield made
    source.gate.set()
    made.close()


def _trainer(stream: SampleStream, options: TimedOptions) -> TimedTrainer:
    """A loop without networks."""
    phase = replace(GPU.phases[0], batch=_FIRST)
    ring = SampleRing(_FIRST, torch.device("cpu"), with_colors=True)
    return TimedTrainer(phase, TimedState("gpu", 0, [], Progress()), stream, ring, options)


def _records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_samples_are_drawn_sixteen_times_and_then_waited_for(
    source: _GatedSource, stream: SampleStream, tmp_path: Path
) -> None:
    trainer = _trainer(stream, TimedOptions(tmp_path, steps=20))
    run = threading.Thread(target=trainer.run)
    run.start()
    end = time.monotonic() + _DEADLINE
    while trainer.state.progress.step < 16:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert run.is_alive()
    assert trainer.state.samples == _FIRST
    source.gate.set()
    run.join(_DEADLINE)
    assert trainer.state.progress.step == 20
    assert trainer.state.samples > _FIRST
    records = _records(tmp_path)
    assert [record["step"] for record in records] == [1, 20]
    assert records[-1]["waiting"] > 0


def test_each_step_is_logged_once_at_most(stream: SampleStream, tmp_path: Path) -> None:
    _trainer(stream, TimedOptions(tmp_path, steps=1)).run()
    assert [record["step"] for record in _records(tmp_path)] == [1]


def test_a_training_whose_time_is_over_does_no_step(stream: SampleStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, TimedOptions(tmp_path, seconds=5.0, started=time.monotonic() - 10))
    trainer.run()
    assert trainer.state.progress.step == 0
    assert trainer.state.progress.seconds >= 10
    assert (tmp_path / "checkpoint.pt").exists()


def test_the_end_is_by_time_or_by_steps_whichever_is_nearer(stream: SampleStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, TimedOptions(tmp_path, seconds=100.0, steps=10))
    trainer.state.progress = Progress(step=3, seconds=20.0)
    assert trainer.share == 0.3
    trainer.state.progress = Progress(step=3, seconds=50.0)
    assert trainer.share == 0.5
    trainer.state.progress = Progress(step=11, seconds=50.0)
    assert trainer.share == 1.0


def test_the_sentence_says_what_sets_the_pace() -> None:
    report = {"samples_per_s": 84.0, "made_per_s": 109.0, "waiting": 0.01}
    assert describe(report) == (
        "Samples a second: 109.0 made, 84.0 used. Waited for samples 1.0% of the time: the device sets the pace."
    )
    assert "30.0% of the time: making samples sets the pace." in describe(report | {"waiting": 0.3})
