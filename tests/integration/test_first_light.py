"""The main job, whole: a blurred video through the real service with the shipped model comes back sharper."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest
from skimage.data import coffee

from benchmarks.clip import frame_times, read_clip, sound_packets, write_clip
from cascade.evaluation.metrics import protocol_crop, psnr
from cascade.synthesis.demo_clip import FPS, render_demo_clip
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack

pytestmark = pytest.mark.integration

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
