"""The evaluation command: its table, its JSON and its pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cascade.evaluate import main
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import LITE


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two videos of six frames, a shifted texture, blurred in all frames but those in the middle."""
    coarse = np.random.default_rng(0).integers(0, 256, (12, 14, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (120, 72), interpolation=cv2.INTER_CUBIC)
    for video, frames in (("first", 6), ("second", 5)):
        for half in ("blur", "gt"):
            (tmp_path / half / video).mkdir(parents=True)
        for number in range(frames):
            sharp = scene[:, 2 * number : 2 * number + 102]
            blurred = cv2.blur(sharp, (9, 1)) if number != 3 else cv2.blur(sharp, (3, 1))
            cv2.imwrite(str(tmp_path / "gt" / video / f"{number:05}.png"), sharp)
            cv2.imwrite(str(tmp_path / "blur" / video / f"{number:05}.png"), blurred)
    return tmp_path


def _saved(folder: Path, stages: int = 2) -> Path:
    torch.manual_seed(0)
    path = folder / f"{stages}.pt"
    checkpoint.save(path, Cascade(replace(LITE, stages=stages)))
    return path


def _tables(printed: str) -> list[list[list[str]]]:
    """Returns the rows of each table, as cells."""
    return [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
        for table in printed.split("\n\n")
    ]


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_the_figures_name_the_input_every_stage_and_the_result(pairs: Path, stages: int) -> None:
    stored = pairs / "figures.json"
    main(["--data", str(pairs), "--model", str(_saved(pairs, stages)), "--json", str(stored)])
    figures = json.loads(stored.read_text())
    keys = ["input", *(f"stage{number}" for number in range(1, stages)), "restored"]
    assert [list(video) for video in figures["videos"]] == [
        ["name", "frames", "seconds_per_frame", *keys, "flicker"]
    ] * 2
    assert [(video["name"], video["frames"]) for video in figures["videos"]] == [("first", 2), ("second", 1)]
    assert list(figures["total"]) == [*keys, "flicker"]
    assert list(figures["total"]["flicker"]) == keys
    assert sum(band["frames"] for band in figures["bands"]) == 3
    assert set(figures["total"]["restored"]) == {"psnr", "ssim"}
    # Untrained, the light network nearly passes the center through, again and again.
    values = [figures["total"][key]["psnr"] for key in keys]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 25


def test_the_table_has_a_row_per_video_and_a_total(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(pairs), "--model", "unsharp"])
    rows = _tables(capsys.readouterr().out)[0]
    assert rows[0] == ["video", "frames", "input", "restored", "gain", "ms/frame"]
    assert [row[:2] for row in rows[2:]] == [["first", "2"], ["second", "1"], ["total", "3"]]
    assert rows[-1][4].startswith("+")


def test_every_subject_has_a_table(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = pairs / "figures.json"
    main(["--data", str(pairs), "--model", "unsharp", "--half", "--json", str(stored)])
    quality, bands, flicker, sizes = _tables(capsys.readouterr().out)
    assert quality[0][0] == "video"
    assert bands[0][0] == "PSNR of the input"
    assert sum(int(row[1]) for row in bands[2:]) == 3
    # One frame of the second video is measured, which has no flicker.
    assert [row[0] for row in flicker] == ["flicker, in levels", "---", "first", "total"]
    assert [row[0] for row in sizes] == ["video", "---", "first", "second", "total"]
    figures = json.loads(stored.read_text())
    assert figures["half"]["total"]["input"]["psnr"] != figures["total"]["input"]["psnr"]
    assert figures["videos"][1]["flicker"] == {}


@pytest.mark.parametrize("input_", ["--sharp", "--still"])
def test_sharp_frames_have_no_gain(pairs: Path, capsys: pytest.CaptureFixture[str], input_: str) -> None:
    stored = pairs / "figures.json"
    main(["--data", str(pairs), "--model", str(_saved(pairs)), input_, "--json", str(stored)])
    quality, flicker = _tables(capsys.readouterr().out)
    assert [row[2] for row in quality[2:]] == ["inf / 1.000"] * 3
    assert [row[5] for row in quality[2:]] == ["-"] * 3
    assert flicker[-1][1] == "0.00"
    total = json.loads(stored.read_text())["total"]
    assert total["input"] == {"psnr": None, "ssim": 1.0}
    assert total["restored"]["psnr"] > 30


def test_gains_are_over_the_coded_input(pairs: Path) -> None:
    totals = []
    for options in ([], ["--coded", "35"]):
        stored = pairs / "figures.json"
        main(["--data", str(pairs), "--model", "unsharp", "--json", str(stored), *options])
        totals.append(json.loads(stored.read_text())["total"]["input"]["psnr"])
    assert totals[1] < totals[0]


def test_several_looks_are_taken_by_networks_alone(pairs: Path) -> None:
    stored = pairs / "figures.json"
    main(["--data", str(pairs), "--model", str(_saved(pairs)), "--looks", "4", "--json", str(stored)])
    assert json.loads(stored.read_text())["total"]["restored"]["psnr"] > 25
    with pytest.raises(SystemExit, match="Only networks take several looks, not burst"):
        main(["--data", str(pairs), "--model", "burst", "--looks", "4"])


def test_all_frames_are_measured_on_demand(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(pairs), "--model", str(_saved(pairs)), "--all-frames"])
    assert "| total | 11 |" in capsys.readouterr().out


def test_pictures_show_the_most_blurred_frame_and_what_the_network_saw(pairs: Path) -> None:
    folder = pairs / "pictures"
    main(["--data", str(pairs), "--model", str(_saved(pairs)), "--pictures", str(folder)])
    names = {path.name for path in folder.iterdir()}
    assert {"first_00002.png", "second_00002.png"} <= names
    network = cv2.imread(str(folder / "first_00002.png"))
    main(["--data", str(pairs), "--model", "burst", "--pictures", str(folder)])
    baseline = cv2.imread(str(folder / "first_00002.png"))
    assert network.shape == (2 * baseline.shape[0], *baseline.shape[1:])


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "no-such-model"],
        ["--model", "burst", "--data", "nowhere"],
        ["--model", "unsharp", "--json", "nowhere/figures.json"],
    ],
)
def test_what_is_missing_ends_with_a_message(pairs: Path, options: list[str]) -> None:
    with pytest.raises(SystemExit, match="evaluate: "):
        main(["--data", str(pairs), *options])


def test_a_video_too_short_for_the_protocol_ends_with_a_message(pairs: Path) -> None:
    for half in ("blur", "gt"):
        (pairs / half / "second" / "00004.png").unlink()
    with pytest.raises(SystemExit, match="no frame of second, whose length is 4"):
        main(["--data", str(pairs), "--model", "unsharp"])
