"""What counts as a photograph, which renditions stay, and which pictures are held out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.data.photographs import load_photographs, split_photographs


def grainy(seed: int, height: int = 700, width: int = 900) -> np.ndarray:
    """A picture with coarse shapes and fine grain."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(40, 215, (7, 9, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + rng.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


def test_pictures_are_found_in_subfolders_as_rgb_and_reduced(tmp_path: Path) -> None:
    picture = grainy(0)
    picture[..., 0] //= 4
    write(tmp_path / "deep" / "er" / "one.png", picture)
    (found,) = load_photographs([tmp_path], max_side=450)
    assert found.pixels.shape == (350, 450, 3)
    assert found.pixels[..., 2].mean() < 0.5 * found.pixels[..., 0].mean()


def test_only_the_largest_rendition_of_a_picture_is_kept(tmp_path: Path) -> None:
    large = grainy(0, 1400, 1800)
    write(tmp_path / "a.png", cv2.resize(large, (900, 700), interpolation=cv2.INTER_AREA))
    write(tmp_path / "b.jpg", large)
    write(tmp_path / "c.png", cv2.resize(large, (1350, 1050), interpolation=cv2.INTER_AREA))
    assert [found.path.name for found in load_photographs([tmp_path])] == ["b.jpg"]


def test_drawings_small_transparent_skipped_and_broken_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "good.png", grainy(0))
    write(tmp_path / "flat.png", np.full((700, 900, 3), 90, np.uint8))
    write(tmp_path / "small.png", grainy(1, 300, 400))
    write(tmp_path / "skipped" / "one.png", grainy(2))
    alpha = np.zeros((700, 900, 1), np.uint8)
    alpha[:300] = 255
    write(tmp_path / "transparent.png", np.concatenate([grainy(3), alpha], axis=-1))
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    found = load_photographs([tmp_path], skip=("skipped",))
    assert [each.path.name for each in found] == ["good.png"]


def test_the_split_is_disjoint_complete_and_follows_the_content_not_the_name(tmp_path: Path) -> None:
    for seed in range(14):
        write(tmp_path / "one" / f"{seed:02}.png", grainy(seed, 640, 640))
        write(tmp_path / "two" / f"{99 - seed}.png", grainy(seed, 640, 640))
    one, two = load_photographs([tmp_path / "one"]), load_photographs([tmp_path / "two"])
    training, held_out = split_photographs(one)
    assert len(training) + len(held_out) == 14
    assert 0 < len(held_out) < 7
    held = {each.digest for each in one if each.held_out}
    assert held == {each.digest for each in two if each.held_out}


def test_a_missing_folder_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        load_photographs([tmp_path / "absent"])
    with pytest.raises(ValueError, match="no photographs"):
        load_photographs([tmp_path])
