"""The side-by-side picture."""

from __future__ import annotations

import numpy as np

from cascade.figures.comparison import (
    GAP,
    STRIP,
    ZOOM,
    LabeledImage,
    flow_colors,
    heat_map,
    most_changed_region,
    side_by_side,
    stack,
)

HEIGHT, WIDTH = 80, 120


def test_the_region_is_where_blur_changed_the_picture_most() -> None:
    truth = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blurred = truth.copy()
    blurred[50:70, 60:90] = 200
    assert most_changed_region(blurred, truth) == (50, 60)


def test_frames_stand_side_by_side_with_the_region_enlarged_below() -> None:
    colors = (40, 120, 200)
    columns = [LabeledImage("x", np.full((HEIGHT, WIDTH, 3), color, np.uint8)) for color in colors]
    picture = side_by_side(columns, (0, 0))
    assert picture.shape == (STRIP + 2 * (HEIGHT + GAP), 3 * WIDTH + 4 * GAP, 3)
    for number, color in enumerate(colors):
        middle = GAP + number * (WIDTH + GAP) + WIDTH // 2
        assert (picture[STRIP + HEIGHT // 2 : STRIP + HEIGHT - 5, middle] == color).all()
        assert (picture[-GAP - HEIGHT + 5 : -GAP - 5, middle] == color).all()


def test_the_enlarged_region_shows_the_place_that_was_asked_for() -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = 40, 60
    image[top : top + HEIGHT // ZOOM, left : left + WIDTH // ZOOM] = 255
    picture = side_by_side([LabeledImage("x", image)], (top, left))
    assert (picture[-GAP - HEIGHT : -GAP, GAP:-GAP] == 255).all()


def test_columns_can_be_wider_or_narrower_than_the_frames() -> None:
    column = LabeledImage("x", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    assert side_by_side([column], (0, 0), width=60).shape == (STRIP + 2 * (40 + GAP), 60 + 2 * GAP, 3)
    assert side_by_side([column], (0, 0), width=240).shape == (STRIP + 2 * (160 + GAP), 240 + 2 * GAP, 3)


def test_stacked_pictures_keep_their_place_and_get_white_beside_them() -> None:
    wide, narrow = np.zeros((5, 9, 3), np.uint8), np.zeros((3, 4, 3), np.uint8)
    picture = stack([wide, narrow])
    assert picture.shape == (8, 9, 3)
    assert not picture[:5].any()
    assert not picture[5:, :4].any()
    assert (picture[5:, 4:] == 255).all()


def test_flow_colors_tell_direction_and_length() -> None:
    flow = np.array([[[0.0, 0.0], [5.0, 0.0], [-5.0, 0.0], [2.5, 0.0]]], np.float32)
    still, right, left, slower = flow_colors(flow, longest=5.0)[0].tolist()
    assert still == [255, 255, 255]
    assert right == [255, 0, 0]
    assert left == [0, 255, 255]
    assert slower[0] == 255
    assert 120 < slower[1] < 136


def test_heat_goes_from_black_to_white() -> None:
    cold, warm, hot = heat_map(np.array([[0.0, 0.4, 1.0]], np.float32))[0].astype(int)
    assert cold.max() < 16
    assert warm[0] > warm[2] + 100
    assert hot.min() > 240
