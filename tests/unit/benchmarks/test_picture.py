"""The side-by-side picture."""

from __future__ import annotations

import numpy as np

from benchmarks.picture import GAP, STRIP, ZOOM, Panel, most_telling_detail, side_by_side

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
