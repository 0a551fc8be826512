"""Lists of jobs: what a line means, and what is refused before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from service.cli.batch.jobs_file import jobs_to_send, plan_jobs
from service.cli.batch.journal import Journal
from service.cli.batch.plan import Item, Planner
from service.cli.batch.sources import Address, Pictures, VideoFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("a.mp4", "deep/b.mkv", "deep/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "jobs.jsonl"


def planned(file: Path, *lines: object, **usual: str) -> list[Item]:
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return plan_jobs(file, Planner(Journal(directory=file.parent / "state")), None, usual)


def test_a_line_has_its_own_output_and_options_and_paths_are_relative_to_the_file(file: Path) -> None:
    lines = (
        {"input": "a.mp4", "output": "sharp.mkv", "crf": 20, "strict": True},
        "",
        {"input": "deep", "looks": None},
    )
    a, b, c = planned(file, *lines, looks="2", crf="30")
    assert (a.source, a.output) == (VideoFile(file.parent / "a.mp4"), file.parent / "sharp.mkv")
    assert a.fields == {"looks": "2", "crf": "20", "strict": "true", "container": "mkv"}
    assert [item.output.name for item in (b, c)] == ["b_deblurred.mkv", "c_deblurred.mp4"]
    assert c.fields == {"crf": "30", "container": "mp4"}


def test_all_that_is_wrong_is_told_with_its_line(file: Path) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        planned(
            file,
            {"input": "a.mp4", "shade": 1},
            "nonsense",
            {"input": "absent.mp4"},
            {"output": "b.mp4"},
            {"input": "a.mp4", "crf": [1]},
            '{"input": "a.mp4", "crf": 1, "crf": 2}',
            {"input": "a.mp4", "output": "nowhere/a.mp4"},
            {"input": "a.mp4"},
            {"input": "a.mp4"},
        )
    told = str(caught.value).splitlines()
    expected = [
        "There is no option 'shade'; there are: quality",
        "This is no JSON",
        "There is no ",
        '"input" is the path of a file',
        '"crf" is a text, a number, true or false.',
        "A name is given twice.",
        "There is no folder",
        None,
        "is the result of line 8 already",
    ]
    wrong = [(number, text) for number, text in enumerate(expected, 1) if text]
    assert len(told) == len(wrong)
    for line, (number, text) in zip(told, wrong, strict=True):
        assert line.startswith(f"{file}, line {number}: ")
        assert text in line


def test_a_list_without_jobs_is_refused(file: Path) -> None:
    with pytest.raises(typer.BadParameter, match="There are no jobs"):
        planned(file, "", " ")


def test_what_is_only_sent_has_no_output_and_is_a_file(file: Path) -> None:
    file.write_text('{"input": "a.mp4", "output": "b.mp4"}\n{"input": "deep"}')
    with pytest.raises(typer.BadParameter) as caught:
        jobs_to_send(file, {})
    first, second = str(caught.value).splitlines()
    assert "line 1: Nothing is fetched" in first
    assert "line 2" in second
    assert "is no video and holds no pictures" in second


def test_a_line_names_a_file_pictures_or_an_address(file: Path) -> None:
    shot = file.parent / "shot"
    shot.mkdir()
    for number in range(2):
        (shot / f"{number}.png").write_text("picture")
    lines = (
        {"input": "shot", "fps": 30, "output": "sharp.mp4"},
        {"input": "https://media.example.org/far.mov", "output": "far.mov"},
        {"input": "shot"},
    )
    pictures, far, usual = planned(file, *lines)
    frames = (shot / "0.png", shot / "1.png")
    assert pictures.source == Pictures(frames, "30")
    assert (far.source, far.output) == (Address("https://media.example.org/far.mov"), file.parent / "far.mov")
    assert (usual.source, usual.output) == (Pictures(frames), file.parent / "shot_deblurred.mp4")
    assert pictures.source.identity != usual.source.identity
    file.write_text(json.dumps({"input": "https://media.example.org/far.mov", "crf": 20}))
    assert jobs_to_send(file, {}) == [(Address("https://media.example.org/far.mov"), {"crf": "20"})]


def test_only_pictures_have_a_rate(file: Path) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        planned(file, {"input": "a.mp4", "fps": 30}, {"input": "deep", "fps": "fast"})
    first, second = str(caught.value).splitlines()
    assert "Only pictures" in first
    assert "like 25" in second
