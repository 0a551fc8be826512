"""The side-by-side picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cascade.figures.comparison import (
    GAP,
    STRIP,
    ZOOM,
    Panel,
    flow_colours,
    heat_map,
    most_telling_detail,
    side_by_side,
    stacked,
    write_image,
)

HEIGHT, WIDTH = 80, 120


def test_the_detail_is_where_blur_changed_the_picture_most() -> None:
    truth = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blurred = truth.copy()
    blurred[50:70, 60:90] = 200
    assert most_telling_detail(blurred, truth) == (50, 60)


def test_panels_stand_side_by_side_with_the_detail_enlarged_below() -> None:
    colours = (40, 120, 200)
    panels = [Panel("x", np.full((HEIGHT, WIDTH, 3), colour, np.uint8)) for colour in colours]
    picture = side_by_side(panels, (0, 0))
    assert picture.shape == (STRIP + 2 * (HEIGHT + GAP), 3 * WIDTH + 4 * GAP, 3)
    for number, colour in enumerate(colours):
        middle = GAP + number * (WIDTH + GAP) + WIDTH // 2
        assert (picture[STRIP + HEIGHT // 2 : STRIP + HEIGHT - 5, middle] == colour).all()
        assert (picture[-GAP - HEIGHT + 5 : -GAP - 5, middle] == colour).all()


def test_the_enlarged_detail_shows_the_place_that_was_asked_for() -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = 40, 60
    image[top : top + HEIGHT // ZOOM, left : left + WIDTH // ZOOM] = 255
    picture = side_by_side([Panel("x", image)], (top, left))
    assert (picture[-GAP - HEIGHT : -GAP, GAP:-GAP] == 255).all()


def test_columns_can_be_wider_or_narrower_than_the_frames() -> None:
    panel = Panel("x", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    assert side_by_side([panel], (0, 0), width=60).shape == (STRIP + 2 * (40 + GAP), 60 + 2 * GAP, 3)
    assert side_by_side([panel], (0, 0), width=240).shape == (STRIP + 2 * (160 + GAP), 240 + 2 * GAP, 3)


def test_stacked_pictures_keep_their_place_and_get_white_beside_them() -> None:
    wide, narrow = np.zeros((5, 9, 3), np.uint8), np.zeros((3, 4, 3), np.uint8)
    picture = stacked([wide, narrow])
    assert picture.shape == (8, 9, 3)
    assert not picture[:5].any()
    assert not picture[5:, :4].any()
    assert (picture[5:, 4:] == 255).all()


def test_flow_colours_tell_direction_and_length() -> None:
    flow = np.array([[[0.0, 0.0], [5.0, 0.0], [-5.0, 0.0], [2.5, 0.0]]], np.float32)
    still, right, left, slower = flow_colours(flow, longest=5.0)[0].tolist()
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


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot write"):
        write_image(tmp_path / "no" / "a.png", np.zeros((4, 4, 3), np.uint8))
