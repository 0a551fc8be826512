"""Blur synthesis: exact flow, pauses, determinism, linear-light averaging."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cascade.synthesis.camera.recording import RecordingConfig, random_recording, with_video_camera
from cascade.synthesis.camera.video_codec import Codec, CodecSettings, through_codec
from cascade.synthesis.synthesize import Sample, SynthesisConfig, synthesize

CONFIG = SynthesisConfig(height=96, width=128, noise=0.0, compressed_share=0.0)


def textured(radius: float) -> list[np.ndarray]:
    """Two pictures of noise without detail finer than ``radius``."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (2, 512, 640, 3)).astype(np.float32)
    smooth = [cv2.GaussianBlur(each, (0, 0), radius) for each in noise]
    return [np.clip(128 + 40 * each / each.std(), 0, 255).astype(np.uint8) for each in smooth]


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    return textured(3.0)


@pytest.fixture(scope="module")
def soft_photos() -> list[np.ndarray]:
    """Without fine detail even when reduced, so that warping them loses little."""
    return textured(10.0)


def warp(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``image`` sampled at x + flow; what lies outside becomes NaN."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(
        image.astype(np.float32),
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_CUBIC,
        borderValue=[np.nan] * 4,
    )


def seen_in_both(flow: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Where going there and coming back ends within half a pixel: neither occluded nor out of frame."""
    error = np.linalg.norm(flow + warp(back, flow), axis=-1)
    return cv2.erode((error < 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    error = (a.astype(np.float64) - b)[where]
    return float(10 * np.log10(255**2 / np.nanmean(error**2)))


def samples(photos: list[np.ndarray], config: SynthesisConfig, count: int) -> list[Sample]:
    return [synthesize(photos, config, np.random.default_rng(seed)) for seed in range(count)]


def test_arrays_have_the_documented_shapes_and_types(photos: list[np.ndarray]) -> None:
    sample = synthesize(photos, replace(CONFIG, frames=4), np.random.default_rng(0))
    assert sample.blurred.shape == sample.sharp.shape == (4, 96, 128, 3)
    assert sample.flow_next.shape == sample.flow_previous.shape == (3, 96, 128, 2)
    assert sample.blurred.dtype == sample.sharp.dtype == np.uint8
    assert sample.flow_next.dtype == sample.flow_previous.dtype == np.float32


@pytest.mark.parametrize("seed", range(6))
def test_flow_aligns_sharp_neighbors(soft_photos: list[np.ndarray], seed: int) -> None:
    sample = synthesize(soft_photos, CONFIG, np.random.default_rng(seed))
    for i, (ahead, back) in enumerate(zip(sample.flow_next, sample.flow_previous, strict=True)):
        for flow, reverse, here, there in ((ahead, back, i, i + 1), (back, ahead, i + 1, i)):
            visible = seen_in_both(flow, reverse)
            if visible.sum() > 200:
                assert psnr(warp(sample.sharp[there], flow), sample.sharp[here], visible) > 35.0


def test_the_same_seed_gives_the_same_sample(photos: list[np.ndarray]) -> None:
    config = SynthesisConfig(height=64, width=64)
    first, second = (synthesize(photos, config, np.random.default_rng(5)) for _ in range(2))
    other = synthesize(photos, config, np.random.default_rng(6))
    np.testing.assert_array_equal(first.blurred, second.blurred)
    np.testing.assert_array_equal(first.flow_next, second.flow_next)
    assert not np.array_equal(first.blurred, other.blurred)


def test_a_camera_at_rest_leaves_the_frame_untouched(photos: list[np.ndarray]) -> None:
    config = replace(CONFIG, blur=(0.0, 0.0), sharp_share=0.0, layers=0)
    for sample in samples(photos, config, 3):
        np.testing.assert_array_equal(sample.blurred, sample.sharp)
        assert np.abs(sample.flow_next).max() < 1e-6


def test_a_share_of_the_frames_is_sharp_and_others_are_strongly_blurred(photos: list[np.ndarray]) -> None:
    config = replace(CONFIG, layers=0, height=64, width=64)
    detail = []
    for sample in samples(photos, config, 40):
        for blurred, sharp in zip(sample.blurred, sample.sharp, strict=True):
            detail.append(cv2.Laplacian(blurred, cv2.CV_32F).std() / cv2.Laplacian(sharp, cv2.CV_32F).std())
    kept = np.array(detail)
    assert 0.15 < np.mean(kept > 0.95) < 0.4
    assert np.mean(kept < 0.6) > 0.3


def test_a_photograph_smaller_than_the_frame_still_fills_it() -> None:
    photo = np.full((40, 50, 3), 200, np.uint8)
    sample = synthesize([photo], replace(CONFIG, layers=0), np.random.default_rng(0))
    assert sample.sharp.min() > 0


def test_a_codec_and_the_cameras_processing_change_the_blurred_frames_alone(photos: list[np.ndarray]) -> None:
    (plain,) = samples(photos, CONFIG, 1)
    for changed in (replace(CONFIG, coded_share=1.0), replace(CONFIG, processed_share=1.0)):
        (sample,) = samples(photos, changed, 1)
        assert not np.array_equal(sample.blurred, plain.blurred)
        np.testing.assert_array_equal(sample.sharp, plain.sharp)
        np.testing.assert_array_equal(sample.flow_next, plain.flow_next)


def test_the_codec_sees_the_frames_that_the_camera_has_processed(photos: list[np.ndarray]) -> None:
    config = RecordingConfig(
        0.0, processed_share=1.0, coded_share=1.0, compressed_share=1.0, jpeg_quality=(70, 90)
    )
    rng = np.random.default_rng(4)
    recording = with_video_camera(random_recording(config, rng), config, rng)
    lights = [recording.response.to_light(photo) for photo in photos]
    assert recording.processing is not None
    assert isinstance(recording.compression, CodecSettings)
    expected = through_codec(
        np.stack([recording.processing(photo) for photo in photos]), recording.compression
    )
    np.testing.assert_array_equal(recording.record(lights, rng), expected)


def test_shares_say_how_many_samples_are_coded_and_processed() -> None:
    config = RecordingConfig(
        0.0, processed_share=0.3, coded_share=0.65, compressed_share=0.5, jpeg_quality=(70, 90)
    )
    rng = np.random.default_rng(0)
    drawn = [with_video_camera(random_recording(config, rng), config, rng) for _ in range(1000)]
    coded = [each.compression for each in drawn if isinstance(each.compression, CodecSettings)]
    assert 0.6 < len(coded) / 1000 < 0.7
    assert 0.12 < np.mean([isinstance(each.compression, int) for each in drawn]) < 0.23
    assert 0.25 < np.mean([each.processing is not None for each in drawn]) < 0.35
    assert 0.1 < np.mean([each.codec is Codec.HEVC for each in coded]) < 0.3
    assert 16 <= min(each.crf for each in coded) < 17
    assert 32 < max(each.crf for each in coded) <= 33
    assert 0.05 < np.mean([each.key_distance == 1 for each in coded]) < 0.15


def test_large_motion_is_as_frequent_and_as_far_as_its_setting_says(photos: list[np.ndarray]) -> None:
    config = replace(CONFIG, layers=0, frames=3, height=64, width=64, sharp_share=0.0, blur=(1.0, 6.0))
    config = replace(config, displacement=8.0)
    far = [
        [np.linalg.norm(s.flow_next[:, 32, 32], axis=-1).max() for s in samples(photos, changed, 60)]
        for changed in (config, replace(config, large_motion_share=0.4))
    ]
    assert max(far[0]) < 12
    assert 0.15 < np.mean(np.array(far[1]) > 16) < 0.5
    assert max(far[1]) > 40


def test_colors_change_places_together_and_before_the_codec() -> None:
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[..., 0] = np.random.default_rng(0).integers(100, 250, (300, 300))
    config = replace(CONFIG, frames=2, height=48, width=64, color_order_share=1.0, coded_share=1.0)
    brightest = []
    for sample in samples([photo], config, 24):
        brightest.append(int(sample.sharp.mean(axis=(0, 1, 2)).argmax()))
        assert sample.blurred.mean(axis=(0, 1, 2)).argmax() == brightest[-1]
    assert set(brightest) == {0, 1, 2}


def test_settings_that_are_not_asked_for_draw_nothing() -> None:
    """So that recipes of before see the samples of before: what every draw would shift is drawn after it."""
    rng = np.random.default_rng(9)
    config = SynthesisConfig(height=32, width=32, frames=2).recording
    recording = random_recording(config, rng)
    state = rng.bit_generator.state
    assert with_video_camera(recording, config, rng) == recording
    assert rng.bit_generator.state == state


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_range_is_an_error(share: float) -> None:
    with pytest.raises(ValueError, match=r"coded_share must be in \[0, 1\]"):
        SynthesisConfig(coded_share=share)


def test_no_photographs_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one photograph"):
        synthesize([], CONFIG, np.random.default_rng(0))
