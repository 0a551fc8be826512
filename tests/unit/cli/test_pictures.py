"""Pictures on the command line: which are one video, in which order, and where the result goes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import typer

from service.cli.batch.pictures import packed, pictures_of, result_of


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def test_a_folder_of_pictures_is_one_video_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    files(tmp_path / "shot", "f10.png", "f9.png", "f1.png", "notes.txt", ".hidden.png")

    assert [picture.name for picture in pictures_of([tmp_path / "shot"])] == ["f1.png", "f9.png", "f10.png"]


def test_pictures_by_name_are_one_video_too(tmp_path: Path) -> None:
    """What a shell makes of ``shot/*.png``."""
    assert [one.name for one in pictures_of(files(tmp_path / "shot", "10.png", "9.png"))] == [
        "9.png",
        "10.png",
    ]


def test_videos_are_no_pictures(tmp_path: Path) -> None:
    videos = files(tmp_path / "mixed", "a.mp4", "b.png")

    assert not pictures_of([tmp_path / "mixed"])
    assert not pictures_of(videos)
    assert not pictures_of([tmp_path / "mixed", tmp_path / "mixed"])


def test_an_archive_has_the_pictures_and_their_rate(tmp_path: Path) -> None:
    pictures = pictures_of(files(tmp_path / "shot", "f10.PNG", "f9.PNG"))
    with packed(pictures, "30000/1001") as path:
        assert path.name == "shot.zip"
        with zipfile.ZipFile(path) as archive:
            assert archive.read("fps.txt") == b"30000/1001"
            assert [archive.read(name) for name in sorted(archive.namelist())[:2]] == [b"f9.PNG", b"f10.PNG"]
    assert not path.exists()


def test_a_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(typer.BadParameter, match="like 25"),
        packed(files(tmp_path / "shot", "1.png"), "fast"),
    ):
        pass


def test_the_result_lies_beside_the_folder_unless_it_is_named(tmp_path: Path) -> None:
    pictures = files(tmp_path / "shot", "1.png")

    assert result_of(pictures, None) == tmp_path / "shot_deblurred.mp4"
    assert result_of(pictures, tmp_path) == tmp_path / "shot_deblurred.mp4"
    assert result_of(pictures, tmp_path / "out.mp4") == tmp_path / "out.mp4"
