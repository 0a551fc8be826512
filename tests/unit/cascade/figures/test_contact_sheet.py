"""The contact sheet, through its command."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.figures.contact_sheet import main


def test_the_command_writes_three_rows_per_sample(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(2):
        noise = rng.integers(0, 256, (640, 640, 3), dtype=np.uint8)
        noise[: 200 * (index + 1)] //= 3
        cv2.imwrite(str(tmp_path / f"{index}.png"), noise)
    sheet = tmp_path / "sheet.png"
    arguments = ["--photos", str(tmp_path), "--output", str(sheet), "--samples", "3", "--side", "64"]
    main([*arguments, "--generated", "0"])
    assert cv2.imread(str(sheet)).shape == (2 * 3 * 68, 2 * 5 * 68, 3)


def test_an_output_that_cannot_be_written_ends_with_a_message(tmp_path: Path) -> None:
    cv2.imwrite(
        str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (640, 640, 3), dtype=np.uint8)
    )
    with pytest.raises(SystemExit, match="cannot be written"):
        main(["--photos", str(tmp_path), "--output", str(tmp_path / "no" / "a.png"), "--samples", "1"])
