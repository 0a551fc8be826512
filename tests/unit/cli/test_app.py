"""Usage of the command line: what is refused before anything starts, and what help costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.distribution import installed

HEAVY = ("numpy", "av", "httpx", "fastapi", "celery", "onnxruntime", "pydantic_settings", "redis")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes(b"not looked at")
    return path


def test_version_is_that_of_the_project() -> None:
    ran = CliRunner().invoke(app, ["--version"])
    assert ran.exit_code == 0
    assert ran.output.split()[:2] == ["cdvd", installed().version]


def refused(*arguments: str | Path) -> str:
    """The complaint about wrong usage, without the box around it."""
    ran = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "400"})
    assert ran.exit_code == 2, ran.output
    return ran.output


def test_the_output_may_not_be_the_input(video: Path) -> None:
    assert "overwrite IN" in refused("deblur", video, "-o", video)


def test_the_output_may_not_be_the_input_by_another_name(video: Path) -> None:
    link, hard = video.with_name("link.mp4"), video.with_name("hard.mp4")
    link.symlink_to(video)
    hard.hardlink_to(video)
    assert "overwrite IN" in refused("deblur", video, "-o", link)
    assert "overwrite IN" in refused("deblur", video, "-o", hard)


def test_an_output_in_no_folder_is_refused_at_once(video: Path) -> None:
    assert "There is no folder" in refused("deblur", video, "-o", video.parent / "absent" / "out.mp4")


def test_a_missing_input_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in refused("deblur", tmp_path / "absent.mp4")


def test_help_loads_nothing_heavy() -> None:
    script = f"""
import sys
from typer.testing import CliRunner
from service.cli.app import app
assert CliRunner().invoke(app, ["deblur", "--help"]).exit_code == 0
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "offered"),
    [("cdvd d", {"deblur", "delete", "doctor"}), ("cdvd deblur --fo", {"--force"})],
)
def test_a_shell_completes_commands_and_options(words: str, offered: set[str]) -> None:
    asked = {"_CDVD_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ran = subprocess.run(
        [sys.executable, "-m", "service.cli"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **asked},
    )
    assert set(ran.stdout.split()) == offered


def test_the_help_tells_exit_codes_keys_and_completion() -> None:
    shown = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    for word in ("4 no answer", "CDVD_URL", "CDVD_KEY", "--install-completion"):
        assert word in shown


@pytest.mark.parametrize("given", [("estimate",), ("estimate", "--size", "wide", "--frames", "3")])
def test_an_estimate_of_nothing_is_refused(given: tuple[str, ...]) -> None:
    refused(*given)


@pytest.mark.parametrize("command", [("deblur",), ("up",)])
def test_what_is_no_device_is_refused_before_anything_starts(command: tuple[str], video: Path) -> None:
    videos = [video] if command == ("deblur",) else []
    assert "'cuda:' is no device" in refused(*command, *videos, "--device", "cuda:")


def test_an_option_that_is_no_pair_is_refused(video: Path) -> None:
    assert "NAME=VALUE" in refused("submit", video, "--set", "crf")


@pytest.mark.parametrize("command", ["deblur", "submit"])
@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (("--set", "shade=1"), "there are: quality, model"),
        (("--set", "crf=99"), "a whole number from 0 to 63"),
        (("--set", "crf=20", "--set", "crf=21"), "crf is 20 and 21"),
        (("--set", "deinterlace=maybe"), "auto, keep, off"),
        (("--looks", "3"), "1, 2, 4"),
        (("--quality", "super"), "fast, good, best"),
        (("--quality", "fast", "--model", "mine"), "either it or them"),
        (("--start", "5", "--end", "3"), "must come after the start"),
    ],
)
def test_what_no_job_can_be_asked_for_is_refused_before_anything_is_sent(
    video: Path, command: str, given: tuple[str, ...], allowed: str
) -> None:
    assert allowed in refused(command, video, "--url", "http://127.0.0.1:9", *given)


def test_a_model_that_is_not_there_is_refused_before_anything_starts(video: Path) -> None:
    assert "There is no model 'mine'; none is installed." in refused(
        "deblur", video, "--models", video.parent, "--model", "mine"
    )
    assert "there are: cdvd_base, cdvd_lite" in refused("deblur", video, "--model", "mine")
