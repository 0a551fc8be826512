"""The examples of the documentation: three clips, and a picture of each."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.evaluation.metrics import psnr
from cascade.figures.comparison import GAP
from cascade.figures.examples import WIDTH, example_clips, main

SMALL = 5, 72
"""Frames of the clips and their height: what they show does not matter here."""


def test_three_clips_are_blurred_and_the_same_every_time() -> None:
    clips, again = example_clips(*SMALL), example_clips(*SMALL)
    assert [clip.name for clip in clips] == ["coffee", "astronaut", "drawn"]
    for clip, same in zip(clips, again, strict=True):
        assert clip.blurred.shape == clip.sharp.shape == (5, 72, 128, 3)
        assert psnr(clip.blurred, clip.sharp) < 40
        np.testing.assert_array_equal(clip.blurred, same.blurred)


@pytest.mark.parametrize(
    ("model", "columns"), [("model_repository/cdvd_lite/checkpoint.pt", 5), ("unsharp", 3)]
)
def test_the_command_draws_prior_and_flow_of_a_checkpoint_beside_the_frames(
    tmp_path: Path, model: str, columns: int
) -> None:
    target = tmp_path / "examples.png"
    main(["--model", model, "--frames", "5", "--height", "72", "--output", str(target)])
    assert cv2.imread(str(target)).shape[1] == columns * (WIDTH + GAP) + GAP


def test_a_missing_model_ends_with_a_message(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="examples: There is no checkpoint"):
        main(["--model", "nothing", "--output", str(tmp_path / "examples.png")])
