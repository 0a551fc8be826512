"""Which videos of a watched folder are taken, and when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.cli.batch.finding import Folder
from service.cli.batch.hot_folder import LATER_S, PICTURES_SETTLED_S, SETTLED_S, HotFolder
from service.cli.batch.journal import Journal
from service.cli.batch.plan import Planner
from tests.unit.client.services import Clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    (path / "deep").mkdir(parents=True)
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hot(folder: Path, clock: Clock, output: Path | None = None) -> HotFolder:
    planner = Planner(Journal(directory=folder.parent / "state"))
    return HotFolder([Folder(folder)], output, {}, planner, clock.monotonic)


def names(found: HotFolder) -> list[str]:
    return [item.source.name for item in found.arrived()]


def test_a_video_is_taken_once_when_it_has_stopped_growing(folder: Path, clock: Clock) -> None:
    found, video = hot(folder, clock), folder / "deep" / "a.mp4"
    video.touch()
    for second in range(5):
        clock.now = second * SETTLED_S * 0.9
        with video.open("a") as file:
            file.write("more")
        assert names(found) == []
    clock.now += SETTLED_S
    assert names(found) == ["a.mp4"]
    clock.now += 1000
    assert names(found) == []


def test_an_empty_file_is_waited_for(folder: Path, clock: Clock) -> None:
    found = hot(folder, clock)
    (folder / "a.mp4").touch()
    names(found)
    clock.now += 1000
    assert names(found) == []


def test_a_video_is_taken_again_when_it_changes_or_later_when_that_is_asked_for(
    folder: Path, clock: Clock
) -> None:
    found, video = hot(folder, clock), folder / "a.mp4"
    video.write_text("damaged")
    assert names(found) == []
    clock.now += SETTLED_S
    (item,) = found.arrived()
    found.again_later(item)
    assert names(found) == []
    clock.now += LATER_S
    assert names(found) == ["a.mp4"]
    video.write_text("mended!")  # of the same size
    os.utime(video, ns=(1, 1))
    assert names(found) == []
    clock.now += SETTLED_S
    assert names(found) == ["a.mp4"]


@pytest.mark.parametrize("output", [None, "in", "in/sharp", "elsewhere"])
def test_results_are_never_taken(folder: Path, clock: Clock, output: str | None) -> None:
    results = folder.parent / output if output else None
    found = hot(folder, clock, results)
    (folder / "a.mp4").write_text("video")
    names(found)
    clock.now += SETTLED_S
    (item,) = found.arrived()
    item.output.parent.mkdir(parents=True, exist_ok=True)
    item.output.write_text("result")
    item.output.with_name(f".{item.output.name}.0.part").write_text("half a result")
    names(found)
    clock.now += SETTLED_S
    assert names(found) == []


def test_a_video_whose_result_would_replace_that_of_another_is_told(folder: Path, clock: Clock) -> None:
    found = hot(folder, clock)
    for name in ("a.avi", "a.mp4"):
        (folder / name).write_text("video")
    names(found)
    clock.now += SETTLED_S
    assert names(found) == ["a.avi"]
    assert [item.source.name for item, _ in found.clashes] == ["a.mp4"]


def test_a_folder_of_pictures_is_taken_whole_and_again_when_pictures_are_added(
    folder: Path, clock: Clock
) -> None:
    found, shot = hot(folder, clock), folder / "shot"
    shot.mkdir()
    for number in range(3):
        (shot / f"{number:04}.png").write_text("picture")
        assert names(found) == []
        clock.now += PICTURES_SETTLED_S * 0.9
    clock.now += PICTURES_SETTLED_S * 0.2
    (item,) = found.arrived()
    assert (item.source.name, item.output) == ("shot", folder / "shot_deblurred.mp4")
    assert len(item.source.files) == 3
    (shot / "0003.png").touch()
    names(found)
    clock.now += 1000
    assert names(found) == []  # it is still empty
    (shot / "0003.png").write_text("picture")
    names(found)
    clock.now += PICTURES_SETTLED_S
    assert names(found) == ["shot"]


def test_a_folder_that_vanishes_is_waited_for(folder: Path, clock: Clock) -> None:
    found = hot(folder, clock)
    (folder / "deep").rmdir()
    folder.rmdir()
    assert names(found) == []
    folder.mkdir()
    (folder / "a.mp4").write_text("video")
    names(found)
    clock.now += SETTLED_S
    assert names(found) == ["a.mp4"]
