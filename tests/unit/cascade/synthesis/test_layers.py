"""Trajectories, layers and exposure on scenes whose outcome is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade.synthesis.blur_strength import blur_lengths
from cascade.synthesis.camera.response import add_sensor_noise, compress, make_response, random_response
from cascade.synthesis.exact_flow import exact_flows
from cascade.synthesis.exposure import expose, measure_paths, render
from cascade.synthesis.layers import Layer, place, project
from cascade.synthesis.trajectory import Spectrum, Trajectory, random_trajectory

SIZE = (40, 60)
CENTER = (29.5, 19.5)


def still() -> Trajectory:
    return Trajectory(np.array([-1.0, 9.0]), np.zeros((2, 6)), CENTER, 36.0)


def sliding(pixels_per_frame: float) -> Trajectory:
    """The view moves right over the plane, so its content moves left."""
    poses = np.zeros((2, 6))
    poses[:, 0] = -pixels_per_frame, 9 * pixels_per_frame
    return Trajectory(np.array([-1.0, 9.0]), poses, CENTER, 36.0)


def wall(level: float) -> np.ndarray:
    return np.concatenate([np.full((60, 90, 3), level), np.ones((60, 90, 1))], axis=-1).astype(np.float32)


def scene(camera: Trajectory, own: Trajectory) -> list[Layer]:
    """A white square of 10 pixels, cornered at (30, 15), before a dark wall."""
    square = np.zeros((14, 14, 4), np.float32)
    square[2:12, 2:12] = 1.0
    return [Layer(wall(0.2), (-15.0, -10.0), camera), Layer(square, (28.0, 13.0), camera, own)]


def test_a_layer_hides_what_is_behind_it_and_nothing_else() -> None:
    light = render(scene(still(), still()), 0.0, SIZE)[..., 0]
    expected = np.full(SIZE, 0.2, np.float32)
    expected[15:25, 30:40] = 1.0
    np.testing.assert_allclose(light, expected, atol=1e-5)


def test_exposure_mixes_light_by_the_time_that_the_object_covers_a_pixel() -> None:
    # The square travels 10 pixels in the exposure: its coverage is a ramp of 10 pixels on either side.
    light = expose(scene(still(), sliding(10.0)), 0.0, 1.0, SIZE, limit=200)[20, :, 0]
    x = np.arange(SIZE[1])
    coverage = np.clip(1 - np.abs(x - 34.5) / 10, 0, 1)
    np.testing.assert_allclose(light, 0.2 + 0.8 * coverage, atol=0.05)


def test_path_length_counts_the_fastest_layer_during_the_exposure() -> None:
    times = np.array([1.0, 2.0])
    assert measure_paths(scene(still(), sliding(10.0)), times, 0.5, SIZE).content == pytest.approx([5.0, 5.0])
    assert measure_paths(scene(sliding(4.0), still()), times, 1.0, SIZE).frame == pytest.approx([4.0, 4.0])


def test_flow_follows_the_layer_in_front() -> None:
    (flow,), _ = exact_flows(place(scene(sliding(3.0), sliding(5.0)), np.arange(2.0), SIZE))
    np.testing.assert_allclose(flow[20, 35], [-8.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(flow[5, 5], [-3.0, 0.0], atol=1e-4)
    assert np.isclose(flow[..., 0], -8.0, atol=1e-3).sum() == 100


def test_a_trajectory_keeps_the_prescribed_speeds_and_pauses() -> None:
    speeds = np.array([20.0, 0.0, 20.0, 8.0, 20.0])
    traveled = []
    for seed in range(30):
        spectrum = Spectrum(fps=30.0, sweep_share=0.7)
        path = random_trajectory(speeds, 0.8, spectrum, SIZE, np.random.default_rng(seed))
        fine = np.linspace(-0.4, 0.4, 33)
        poses = [
            np.stack([np.interp(frame + fine, path.times, channel) for channel in path.poses.T], axis=1)
            for frame in range(5)
        ]
        traveled.append([np.linalg.norm(np.diff(pose, axis=0), axis=1).sum() for pose in poses])
    mean = np.mean(traveled, axis=0)
    assert mean[1] < 0.1
    assert mean[[0, 2, 4]] == pytest.approx(16.0, rel=0.15)
    assert mean[3] == pytest.approx(6.4, rel=0.25)
    assert np.max(traveled) < 16.1


def test_the_middle_of_a_trajectory_looks_straight_at_the_plane() -> None:
    spectrum = Spectrum(fps=30.0, sweep_share=0.5)
    path = random_trajectory(np.full(5, 12.0), 0.5, spectrum, SIZE, np.random.default_rng(1))
    points = np.array([[0.0, 0.0], [59.0, 39.0]])
    np.testing.assert_allclose(project(path.homographies(np.array([2.0])), points)[0], points, atol=1e-9)


def test_what_is_near_on_a_slanted_plane_shifts_more() -> None:
    # From 6 pixels of shift in the middle to 9 at the radius of 36 pixels on the right, and to 3 on the left.
    wall_to_the_right = replace(sliding(6.0), slant=(0.5, 0.0))
    (flow,), _ = exact_flows(
        place([Layer(wall(0.2), (-15.0, -10.0), wall_to_the_right)], np.arange(2.0), SIZE)
    )
    here = CENTER[0] + np.array([-18.0, 0.0, 18.0])
    shifts = np.interp(here, np.arange(SIZE[1]), -flow[20, :, 0])
    # Roughly, since what comes nearer also grows.
    np.testing.assert_allclose(shifts, [4.5, 6.0, 7.5], rtol=0.1)


def test_blur_strengths_stay_in_range_and_pause_as_often_as_asked() -> None:
    blurs = np.concatenate(
        [blur_lengths(5, (3.0, 20.0), 0.25, np.random.default_rng(seed)) for seed in range(400)]
    )
    paused = blurs < 1.0
    assert 0.2 < paused.mean() < 0.3
    assert blurs[~paused].min() >= 3.0
    assert 17.0 < blurs.max() <= 20.0


def test_a_response_returns_every_level_unchanged() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for seed in range(5):
        response = random_response(np.random.default_rng(seed))
        np.testing.assert_array_equal(response.to_levels(response.to_light(levels)), levels)


def test_sensor_noise_is_normal_and_as_strong_as_its_variance_says() -> None:
    rng = np.random.default_rng(2)
    for level in (0.0, 0.5):
        light = np.full((300, 300, 3), level, np.float32)
        noise = add_sensor_noise(light, shot=0.002, read=0.01, rng=rng) - light
        deviation = np.sqrt(0.002 * level + 0.01**2)
        assert abs(noise.mean()) < 4 * deviation / np.sqrt(noise.size)
        assert noise.std() == pytest.approx(deviation, rel=0.01)
        within = [np.mean(np.abs(noise) < deviations * deviation) for deviations in (1, 2, 3)]
        assert within == pytest.approx([0.6827, 0.9545, 0.9973], abs=0.004)
        assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 0.01


def test_light_averages_brighter_than_levels_do() -> None:
    response = make_response(2.2)
    mean = (response.to_light(np.uint8([[0]])) + response.to_light(np.uint8([[255]]))) / 2
    assert response.to_levels(mean)[0, 0] == 186


def test_compression_keeps_channels_in_order() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(compress(red, 90).astype(int) - red).max() < 10
