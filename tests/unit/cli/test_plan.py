"""Which videos of a command line are taken, and where their results go."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from service.cli.batch.finding import named_sources
from service.cli.batch.journal import Journal
from service.cli.batch.plan import Item, Planner
from service.cli.batch.sources import Address, Pictures, VideoFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos and other things, at several depths."""
    root = tmp_path / "videos"
    names = ("b.MOV", "a.mp4", "notes.txt", "deep/c.mkv", "a_deblurred.mp4", ".hidden.mp4", ".trash/d.mp4")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def plan(
    sources: list[Path], output: Path | None = None, *, force: bool = False, **fields: str
) -> list[Item]:
    found = named_sources([str(source) for source in sources], None)
    return Planner(Journal(directory=sources[0].parent / "state"), force).plan(found, output, fields)


def names(items: list[Item], root: Path) -> list[tuple[str, str, bool]]:
    return [
        (str(Path(str(item.source)).relative_to(root)), str(item.output.relative_to(root)), item.done)
        for item in items
    ]


def test_a_directory_gives_its_videos_at_any_depth_and_none_of_our_results(folder: Path) -> None:
    assert names(plan([folder]), folder) == [
        ("a.mp4", "a_deblurred.mp4", True),
        ("b.MOV", "b_deblurred.mov", False),
        ("deep/c.mkv", "deep/c_deblurred.mkv", False),
    ]


def test_force_makes_results_again(folder: Path) -> None:
    assert not any(item.done for item in plan([folder], force=True))


def test_an_output_directory_repeats_the_tree(folder: Path) -> None:
    output = folder / "sharp"
    (output / "deep").mkdir(parents=True)
    (output / "deep" / "other.mp4").write_text("taken for no input")
    assert names(plan([folder], output), folder) == [
        ("a.mp4", "sharp/a_deblurred.mp4", False),
        ("b.MOV", "sharp/b_deblurred.mov", False),
        ("deep/c.mkv", "sharp/deep/c_deblurred.mkv", False),
    ]


def test_a_named_file_is_taken_whatever_its_name_and_once(folder: Path) -> None:
    items = plan([folder / "notes.txt", folder, folder / "a.mp4"])
    assert [item.source.name for item in items] == ["notes.txt", "a.mp4", "b.MOV", "c.mkv"]


def test_one_video_goes_to_the_file_that_is_named(folder: Path) -> None:
    out = folder / "out.mp4"
    assert plan([folder / "a.mp4"], out) == [Item(VideoFile(folder / "a.mp4"), out, {"container": "mp4"})]


def refused(sources: list[Path], output: Path | None = None, **fields: str) -> str:
    with pytest.raises(typer.BadParameter) as caught:
        plan(sources, output, **fields)
    return str(caught.value)


def test_the_name_of_the_result_chooses_its_container(folder: Path) -> None:
    for name, container in (
        ("x.mkv", "mkv"),
        ("x.MOV", "mov"),
        ("x.webm", "webm"),
        ("x.m4v", "mp4"),
        ("x", None),
    ):
        assert plan([folder / "a.mp4"], folder / name)[0].fields.get("container") == container


@pytest.mark.parametrize(
    ("name", "asked", "sentence"),
    [
        ("x.avi", {}, "A result ends in .mp4, .m4v, .mov, .qt, .mkv, .webm, not in .avi."),
        ("x.mkv", {"container": "mp4"}, "does not end like mp4"),
        ("x.webm", {"codec": "prores"}, "The container webm does not hold ProRes"),
    ],
)
def test_a_name_that_no_result_can_have_is_refused(
    folder: Path, name: str, asked: dict[str, str], sentence: str
) -> None:
    assert sentence in refused([folder / "a.mp4"], folder / name, **asked)


def test_a_codec_chooses_the_ending_where_the_family_does_not_hold_it(folder: Path) -> None:
    items = plan([folder], None, force=False, codec="prores")
    assert [item.output.name for item in items] == ["a_deblurred.mov", "b_deblurred.mov", "c_deblurred.mkv"]


def test_a_named_file_that_exists_is_not_overwritten_unless_forced(folder: Path) -> None:
    assert "--force" in refused([folder / "a.mp4"], folder / "b.MOV")
    assert plan([folder / "a.mp4"], folder / "b.MOV", force=True)[0].output == folder / "b.MOV"


def test_two_videos_that_would_become_one_file_are_refused(folder: Path) -> None:
    (folder / "a.avi").write_text("the same stem")
    assert "both become" in refused([folder])


def test_a_folder_without_videos_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert "There are no videos" in refused([folder / "empty"])


def test_an_output_below_a_file_is_refused(folder: Path) -> None:
    assert "no writable folder" in refused([folder], folder / "notes.txt" / "sharp")


def test_a_result_may_not_be_another_input(folder: Path) -> None:
    assert "overwrite IN" in refused([folder / "a.mp4", folder / "a_deblurred.mp4"])


def test_numbered_pictures_in_a_folder_below_are_one_video(folder: Path) -> None:
    for name in (
        "shot.v2/f10.png",
        "shot.v2/f9.png",
        "thumbs/cat.jpg",
        "thumbs/dog.jpg",
        "deep/0.png",
        "deep/1.png",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    (shot,) = (item for item in plan([folder]) if isinstance(item.source, Pictures))

    assert [picture.name for picture in shot.source.files] == ["f9.png", "f10.png"]
    assert shot.output == folder / "shot.v2_deblurred.mp4"


def test_a_video_at_an_address_comes_to_this_directory_or_where_it_is_wanted(folder: Path) -> None:
    planner = Planner(Journal(directory=folder.parent / "state"))
    address = Address("https://media.example.org/a/holiday%20one.mkv?signature=1")

    def output(out: Path | None) -> Path:
        (item,) = planner.plan([address], out, {})
        return item.output

    assert output(None) == Path("holiday one_deblurred.mkv")
    assert output(folder) == folder / "holiday one_deblurred.mkv"
    assert output(folder / "b.mp4") == folder / "b.mp4"
