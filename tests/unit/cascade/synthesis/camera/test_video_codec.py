"""Frames through H.264 and HEVC: what stays, what is lost, and that it is the same every time."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cascade.synthesis.camera.video_codec import (
    Codec,
    CodecSettings,
    ColorMatrix,
    VideoCodecError,
    through_codec,
)

SIZE = (96, 128)


def smooth(frames: int = 5) -> np.ndarray:
    """Gradients of color that slide by two pixels a frame."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    shifted = [x + 2 * number for number in range(frames)]
    channels = [(40 + each, 200 - each / 2 - y / 4, 60 + y) for each in shifted]
    return np.stack([np.stack(each, axis=-1) for each in channels]).round().astype(np.uint8)


def textured(frames: int = 5) -> np.ndarray:
    """Gray texture, in which 4:2:0 loses nothing, that slides across."""
    wide = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (120, 200)), (0, 0), 2.0)
    wide = np.clip(128 + 45 * wide / wide.std(), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=-1)
    return np.stack([wide[n : n + SIZE[0], 3 * n : 3 * n + SIZE[1]] for n in range(frames)])


def error(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first.astype(float) - second


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("matrix", list(ColorMatrix))
def test_smooth_content_at_the_best_quality_comes_back_within_two_levels(
    codec: Codec, matrix: ColorMatrix
) -> None:
    frames = smooth()
    lost = error(through_codec(frames, CodecSettings(crf=1, codec=codec, matrix=matrix)), frames)
    assert np.percentile(np.abs(lost), 99.9) <= 2
    assert (
        np.abs(lost.mean(axis=(0, 1, 2))).max() < 0.7
    )  # chroma in whole levels turns half of one into 0.9 of red


def test_plain_colors_keep_their_levels_and_their_order() -> None:
    for color in ((220, 30, 30), (30, 220, 30), (30, 30, 220), (255, 255, 255), (0, 0, 0)):
        frames = np.full((3, *SIZE, 3), color, np.uint8)
        for matrix in ColorMatrix:
            lost = error(through_codec(frames, CodecSettings(crf=10, matrix=matrix)), frames)
            assert np.abs(lost).max() <= 3, (color, matrix)


@pytest.mark.parametrize("codec", list(Codec))
def test_a_higher_rate_factor_loses_more(codec: Codec) -> None:
    frames = textured()
    settings = CodecSettings(codec=codec, preset="veryfast")
    lost = [
        np.mean(error(through_codec(frames, replace(settings, crf=crf)), frames) ** 2) for crf in (16, 24, 33)
    ]
    assert 1.5 * lost[0] < lost[1] < lost[2] / 1.5


def test_frames_come_back_in_their_order_with_frames_that_refer_forward() -> None:
    frames = textured(9)
    coded = through_codec(frames, CodecSettings(crf=20, preset="medium"))
    distance = [[np.mean(error(shown, sent) ** 2) for sent in frames] for shown in coded]
    assert np.argmin(distance, axis=1).tolist() == list(range(9))


def test_key_frames_alone_make_every_frame_independent_of_the_others() -> None:
    frames = textured()
    changed = frames.copy()
    changed[0] = 255 - changed[0]
    only_keys = CodecSettings(crf=30, key_distance=1)
    first, second = through_codec(frames, only_keys), through_codec(changed, only_keys)
    assert np.mean(np.abs(error(first[2:], second[2:]))) < 1
    assert np.mean(np.abs(error(first[0], second[0]))) > 20


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("size", [(33, 47), (95, 128), (96, 127), (1, 1), (10, 70)])
def test_any_size_keeps_its_size(codec: Codec, size: tuple[int, int]) -> None:
    frames = smooth(3)[:, : size[0], : size[1]]
    coded = through_codec(frames, CodecSettings(crf=8, codec=codec))
    assert coded.shape == frames.shape
    assert np.abs(error(coded, frames)).mean() < 3


@pytest.mark.parametrize("codec", list(Codec))
def test_the_same_frames_and_settings_give_the_same_result_and_leave_the_frames_alone(codec: Codec) -> None:
    frames = textured()
    kept = frames.copy()
    first, second = (through_codec(frames, CodecSettings(crf=26, codec=codec)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(frames, kept)


@pytest.mark.parametrize("frames", [0, 1])
def test_no_frame_and_one_frame_are_streams_too(frames: int) -> None:
    sent = textured(max(frames, 1))[:frames]
    assert through_codec(sent, CodecSettings()).shape == sent.shape


def test_an_unknown_preset_is_an_error() -> None:
    with pytest.raises(VideoCodecError, match="cannot be coded"):
        through_codec(textured(1), CodecSettings(preset="hasty"))
