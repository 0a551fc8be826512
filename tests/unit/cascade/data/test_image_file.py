"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.data.image_file import write_image


def test_a_picture_is_written_with_its_channels_in_order(tmp_path: Path) -> None:
    image = np.full((4, 4, 3), (250, 120, 10), np.uint8)
    write_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_COLOR_RGB), image)


@pytest.mark.parametrize(("name", "message"), [("no/a.png", "cannot be written"), ("a.text", "no format")])
def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(OSError, match=message):
        write_image(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
