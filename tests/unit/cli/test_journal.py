"""What is remembered between two runs of a command."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer

from service.cli.batch.finding import Folder
from service.cli.batch.journal import BEGUN_KEPT_S, Begun, Journal, identity_of
from service.cli.batch.plan import Item, Planner
from service.cli.batch.sources import VideoFile
from service.options import JobOptions

BEGUN = Begun("key", "", upload="u1")
OTHERS = {
    "quality": "best",
    "model": "mine",
    "looks": "4",
    "codec": "hevc",
    "crf": "20",
    "encode_quality": "lossless",
    "encoder": "hardware",
    "bit_depth": "10",
    "chroma": "444",
    "deinterlace": "off",
    "sound": "copy",
    "stages": "2",
    "start": "1",
    "end": "1",
    "strict": "true",
}
"""A value of each option that decides a result; the container is in the name of the result."""
SAME = {"preview": "true", "webhook_url": "https://example.org", "output_url": "https://example.org"}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.mp4"
    path.parent.mkdir()
    path.write_text("video")
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal("http://service.test", tmp_path / "state")


def planned(journal: Journal, video: Path, fields: Mapping[str, str], *, force: bool = False) -> Item:
    (item,) = Planner(journal, force).plan([Folder(video.parent)], video.parent.parent / "out", fields)
    return item


def made(journal: Journal, item: Item) -> None:
    item.output.parent.mkdir(exist_ok=True)
    item.output.write_text("result")
    journal.record(item.output, item.source.identity, item.options)


def test_every_option_that_decides_the_result_is_part_of_what_is_done() -> None:
    assert {*OTHERS, *SAME, "container"} == set(JobOptions.model_fields)


@pytest.mark.parametrize("name", OTHERS)
def test_a_result_of_other_options_is_made_again(journal: Journal, video: Path, name: str) -> None:
    made(journal, planned(journal, video, {}))
    assert planned(journal, video, {}).done
    assert planned(journal, video, SAME).done
    other = {name: OTHERS[name]}
    assert not planned(journal, video, other).done
    assert f"{name} unset, now" in planned(journal, video, other).again


def test_a_result_of_a_video_that_has_changed_is_made_again(journal: Journal, video: Path) -> None:
    made(journal, planned(journal, video, {}))
    video.write_text("another video")
    assert "before it changed" in planned(journal, video, {}).again


def test_a_result_that_something_else_made_or_changed_is_never_overwritten_unasked(
    journal: Journal, video: Path
) -> None:
    item = planned(journal, video, {})
    made(journal, item)
    item.output.write_text("edited by hand")
    assert planned(journal, video, {"end": "1"}).done
    assert not planned(journal, video, {"end": "1"}, force=True).done


def test_a_result_whose_fetching_was_cut_short_is_not_done(journal: Journal, video: Path) -> None:
    """The file came to its place, and the command was killed before it could take note of that."""
    item = planned(journal, video, {})
    journal.note(item.source.identity, item.fields, Begun("key", str(item.output.resolve()), job="j1"))
    item.output.parent.mkdir()
    item.output.write_text("result")
    assert not planned(journal, video, {}).done


def test_a_file_named_as_output_is_skipped_if_done_and_else_not_overwritten(
    journal: Journal, video: Path, tmp_path: Path
) -> None:
    output, planner = tmp_path / "out.mp4", Planner(journal)
    (item,) = planner.plan([VideoFile(video)], output, {})
    made(journal, item)
    assert planner.plan([VideoFile(video)], output, {})[0].done
    with pytest.raises(typer.BadParameter, match="end unset, now 1"):
        planner.plan([VideoFile(video)], output, {"end": "1"})


def test_what_was_begun_is_found_again_for_the_same_video_options_and_service(
    journal: Journal, video: Path, tmp_path: Path
) -> None:
    identity = identity_of([video])
    journal.note(identity, {"crf": "20"}, BEGUN)
    again = Journal("http://service.test/", tmp_path / "state")
    assert again.begun(identity_of([video]), {"crf": "20"}) == BEGUN
    assert again.begun(identity, {"crf": "21"}) is None
    assert Journal("http://other.test", tmp_path / "state").begun(identity, {"crf": "20"}) is None
    os.utime(video, ns=(1, 1))
    assert again.begun(identity_of([video]), {"crf": "20"}) is None
    again.forget(identity, {"crf": "20"})
    assert again.begun(identity, {"crf": "20"}) is None


def test_old_entries_expire(journal: Journal, tmp_path: Path) -> None:
    journal.note("old", {}, BEGUN)
    (path,) = (tmp_path / "state" / "begun").iterdir()
    then = time.time() - BEGUN_KEPT_S - 60
    os.utime(path, (then, then))
    journal.note("new", {}, BEGUN)
    again = Journal("http://service.test", tmp_path / "state")
    assert (again.begun("old", {}), again.begun("new", {})) == (None, BEGUN)
    assert len(list((tmp_path / "state" / "begun").iterdir())) == 1


def test_without_a_place_to_remember_commands_work_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    journal = Journal("http://service.test", tmp_path / "state")
    journal.note("video", {}, BEGUN)
    assert journal.begun("video", {}) is None
