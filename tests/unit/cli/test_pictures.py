"""Pictures on the command line: which are one video, in which order, and how fast they are shown."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
import typer

from service.cli.batch.finding import Folder, named_sources, one_video
from service.cli.batch.pictures import are_frames, checked_rate, packed, pictures_among
from service.cli.batch.sources import Pictures, VideoFile


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def named(*paths: Path, rate: str | None = None) -> list[object]:
    return list(named_sources([str(path) for path in paths], rate))


def test_a_folder_of_pictures_is_one_video_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    files(tmp_path / "shot", "f10.png", "f9.png", "f1.png", "notes.txt", ".hidden.png")
    (shot,) = named(tmp_path / "shot")

    assert isinstance(shot, Pictures)
    assert [picture.name for picture in shot.files] == ["f1.png", "f9.png", "f10.png"]


def test_pictures_by_name_are_one_video_too(tmp_path: Path) -> None:
    """What a shell makes of ``shot/*.png``."""
    (shot,) = named(*files(tmp_path / "shot", "10.png", "9.png"))

    assert shot == Pictures((tmp_path / "shot" / "9.png", tmp_path / "shot" / "10.png"))


def test_a_pattern_that_no_shell_has_expanded_stands_for_what_it_matches(tmp_path: Path) -> None:
    """What is given as ``'shot/*.png'``, in quotes, or on Windows."""
    files(tmp_path / "shot", "10.png", "9.png", "notes.txt")
    clips = files(tmp_path / "clips", "a.mp4", "b.mp4")

    assert named(tmp_path / "shot" / "*.png") == [
        Pictures((tmp_path / "shot" / "9.png", tmp_path / "shot" / "10.png"))
    ]
    assert named(tmp_path / "**" / "*.mp4") == [VideoFile(clip) for clip in clips]
    with pytest.raises(typer.BadParameter, match="stands for 2 videos"):
        one_video(str(tmp_path / "clips" / "*.mp4"), None)


def test_a_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    (odd, _) = files(tmp_path, "clip[1].mp4", "clip1.mp4")

    assert named(odd) == [VideoFile(odd)]


def test_videos_are_no_pictures(tmp_path: Path) -> None:
    videos = files(tmp_path / "mixed", "a.mp4", "b.png")

    assert named(tmp_path / "mixed") == [Folder(tmp_path / "mixed")]
    assert named(*videos) == [VideoFile(video) for video in videos]


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (["f1.png", "f2.png"], True),
        (["shot2_001.tif", "shot2_002.tif"], True),
        (["1.png"], False),
        (["cat.jpg", "dog.jpg"], False),
        (["a1.png", "b1.png"], False),
    ],
)
def test_frames_have_names_that_differ_in_one_number(tmp_path: Path, names: list[str], answer: bool) -> None:
    assert are_frames(files(tmp_path, *names)) is answer


def test_the_same_pictures_make_the_same_archive_with_their_rate(tmp_path: Path) -> None:
    pictures = pictures_among(files(tmp_path / "shot", "f10.PNG", "f9.PNG"))
    os.utime(pictures[0], (0, 0))  # before the first date that a ZIP can hold
    with packed(pictures, "30000/1001") as path:
        first = path.read_bytes()
        assert path.name == "shot.zip"
        with zipfile.ZipFile(path) as archive:
            assert archive.read("fps.txt") == b"30000/1001"
            assert [archive.read(name) for name in sorted(archive.namelist())[:2]] == [b"f9.PNG", b"f10.PNG"]
    assert not path.exists()
    with packed(pictures, "30000/1001") as path:
        assert path.read_bytes() == first


def test_the_rate_is_the_one_given_else_that_of_the_folder(tmp_path: Path) -> None:
    pictures = tuple(files(tmp_path / "shot", "0.png", "1.png"))
    usual, given = Pictures(pictures), Pictures(pictures, "50")
    before = usual.identity
    assert before == Pictures(pictures, "25").identity != given.identity
    (tmp_path / "shot" / "fps.txt").write_text("50\n")
    assert usual.identity == given.identity


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="like 25"):
        checked_rate("fast")


def test_a_rate_is_refused_where_nothing_can_be_pictures(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="Only pictures"):
        named(*files(tmp_path, "a.mp4"), rate="25")


def test_the_result_lies_beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = tuple(files(tmp_path / "shot", "1.png"))

    assert (Pictures(pictures).place, Pictures(pictures).stem) == (tmp_path, "shot")
    monkeypatch.chdir(tmp_path / "shot")
    inside = Pictures((Path("1.png"),))
    assert (inside.place, inside.stem) == (tmp_path, "shot")
