"""The main job, whole: a blurred video through the real service with the shipped model comes back sharper."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from skimage.data import coffee

from benchmarks.clip import frame_times, read_clip, sound_packets, write_clip
from cascade.evaluation.metrics import protocol_crop, psnr
from cascade.evaluation.onnx_session import open_session
from cascade.synthesis.demo_clip import FPS, render_demo_clip
from export.verify import check_signature
from service.client import Client
from service.config import default_models
from service.embedded import EmbeddedOptions, EmbeddedStack

pytestmark = pytest.mark.integration

SHIPPED = default_models() / "cdvd_lite"
BLURRED_DB = 34.0
"""Frames of the sent clip further from the truth than this were taken with an unsteady hand."""


def test_a_blurred_video_comes_back_sharper_with_its_sound_and_its_times(tmp_path: Path) -> None:
    frames, truth = render_demo_clip(coffee(), frames=16, height=180, width=320, seed=0)
    sent, received = tmp_path / "blurred.mp4", tmp_path / "restored.mp4"
    write_clip(sent, frames, round(FPS))

    with EmbeddedStack(EmbeddedOptions(data=tmp_path / "data")) as stack, Client(stack.url) as client:
        job = client.wait(client.submit(sent).id)
        assert job.status == "succeeded", job.error
        client.download(job.id, received)

    assert sound_packets(received) == sound_packets(sent)
    assert frame_times(received) == frame_times(sent)
    before, after = (
        [psnr(*pair) for pair in zip(protocol_crop(read_clip(clip)), protocol_crop(truth), strict=True)]
        for clip in (sent, received)
    )
    gains = [b - a for a, b in zip(before, after, strict=True) if a < BLURRED_DB]
    assert len(gains) >= 4
    assert mean(gains) > 0.5


def test_the_shipped_model_is_what_it_says_it_is() -> None:
    described = json.loads((SHIPPED / "model.json").read_text())
    graph = (SHIPPED / "1" / "model.onnx").read_bytes()
    assert hashlib.sha256(graph).hexdigest() == described["sha256"]
    assert described["sha256"] in (SHIPPED / "README.md").read_text()
    check_signature(SHIPPED / "1" / "model.onnx")


def test_the_shipped_model_leaves_a_still_sharp_video_alone() -> None:
    session = open_session(SHIPPED / "1" / "model.onnx")
    sharp = coffee()[100:292, 200:456]
    (restored,) = session.run(None, {"frames": np.stack([sharp] * 7)})
    assert min(psnr(frame, sharp) for frame in restored) > 38
