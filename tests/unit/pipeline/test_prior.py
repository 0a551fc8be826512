import cv2
import numpy as np

from service.pipeline.prior import heat_map, prior_maps


def window(shift: int) -> np.ndarray:
    """Five frames of one texture that moves ``shift`` pixels a frame."""
    texture = np.kron(np.random.default_rng(0).integers(0, 256, (40, 60, 3)), np.ones((4, 4, 1))).astype(
        np.uint8
    )
    return np.stack([texture[8:136, 30 + shift * i : 190 + shift * i] for i in range(5)])


def test_still_frames_agree_with_their_neighbors_everywhere() -> None:
    maps = prior_maps(window(0))

    assert maps.shape == (1, 128, 160)
    assert maps.min() == 255


def test_motion_that_flow_follows_stays_near_one_and_a_change_does_not() -> None:
    moving, changed = window(2), window(0)
    changed[2, 40:80, 40:80] = 255 - changed[2, 40:80, 40:80]

    followed, differing = prior_maps(moving), prior_maps(changed)

    assert followed[0, 20:-20, 20:-20].mean() > 225
    assert differing[0, 50:70, 50:70].mean() < differing[0, :30].mean() - 30


def test_maps_are_small_and_even_for_any_size() -> None:
    maps = prior_maps(np.zeros((6, 90, 1281, 3), np.uint8))

    assert maps.shape == (2, 32, 240)


def test_a_heat_map_is_bright_where_the_prior_is_one() -> None:
    prior = np.full((32, 64), 255, np.uint8)
    prior[:, 32:] = 100

    shown = cv2.imdecode(np.frombuffer(heat_map(prior), np.uint8), cv2.IMREAD_GRAYSCALE)

    assert shown.shape == (32, 64)
    assert shown[:, :28].min() > 200
    assert shown[:, 36:].max() < 20
