"""Every command of the documentation exists, takes the options that are shown, and is run by a test where it can be."""

from __future__ import annotations

import argparse
import importlib.util
import re
import runpy
import sys
import tomllib
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from service.cli.app import app
from tests.unit.docs.commands import PAGES, ROOT, Command, blocks, fenced, inline

RUN = {
    "make test": ".ci/run",
    "cdvd deblur": "tests/integration/test_wheel.py::test_a_clip_is_deblurred_in_an_empty_directory",
    "cdvd verify": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd replay": "tests/integration/cli/test_replay.py::test_a_report_and_its_video_give_the_same_bytes",
    "cdvd up": "tests/integration/cli/test_files.py::test_up_serves_page_and_api_until_stopped",
    "cdvd doctor": "tests/integration/test_wheel.py::test_doctor_finds_the_model_of_the_wheel",
    "cdvd triton": "tests/integration/triton/test_stack.py::test_the_command_runs_a_server_until_it_ends",
    "cdvd estimate": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd submit": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd watch": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd status": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd result": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd report": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd list": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "cdvd delete": "tests/integration/client/test_guide.py::test_the_lines_for_a_shell",
    "curl -i": "tests/integration/test_readme.py::test_a_job_runs_by_the_lines_of_the_readme",
    "curl http": "tests/integration/test_readme.py::test_a_job_runs_by_the_lines_of_the_readme",
    "curl -fOJ": "tests/integration/test_readme.py::test_a_job_runs_by_the_lines_of_the_readme",
    "cp service/web/sample": "tests/integration/test_readme.py::test_there_is_a_clip_to_try_with",
    "python -m cascade.train": "tests/integration/training/test_training.py::"
    "test_a_training_killed_at_any_moment_resumes_to_the_same_weights",
    "python -m cascade.figures.curve": "tests/unit/cascade/figures/test_curve.py::"
    "test_the_command_writes_the_picture",
    "python -m cascade.figures.examples": "tests/unit/cascade/figures/test_examples.py::"
    "test_the_command_draws_prior_and_flow_of_a_checkpoint_beside_the_frames",
    "python -m cascade.evaluate": "tests/integration/training/test_exported_evaluation.py::"
    "test_an_exported_model_restores_the_same_frames_as_its_checkpoint",
    "python -m cascade.evaluation.alignment": "tests/unit/cascade/evaluation/test_alignment.py::"
    "test_the_command_prints_every_video_and_the_mean",
    "python -m cascade.network.complexity": "tests/integration/test_readme.py::"
    "test_the_complexity_of_the_presets_is_printed",
    "python -m service.worker": "tests/integration/jobs/test_devices.py::"
    "test_a_worker_without_its_device_ends_and_readiness_knows_why",
    "python -m benchmarks.engines": "tests/unit/benchmarks/test_engines.py::"
    "test_models_and_runtimes_are_measured_on_the_same_window",
    "python -m benchmarks.gpu": "tests/unit/benchmarks/test_gpu.py::"
    "test_the_command_measures_both_precisions_and_prints_a_row_for_each",
    "python -m export": "tests/integration/training/test_export.py::"
    "test_an_export_describes_itself_and_keeps_the_model_card",
}
"""The beginning of a command, and the test that runs that program, if not on the same files."""

NEEDS = {
    "make demo": "minutes",
    "make install": "a package index",
    ". .venv/bin/activate": "what make install made",
    "make package": "a package index; tests/integration/test_wheel.py builds and installs without one",
    "pip install": "a package index; tests/integration/test_wheel.py builds and installs without one",
    "docker ": "Docker; `make compose-test` builds and runs the images and the stack",
    "docker/secrets.sh": "Docker; `make compose-test` begins with it",
    "CDVD_USER=": "Docker, and a checkpoint of the reader's own",
    "echo ": "a deployment of the reader's own, whose .env it changes",
    "for v in ": "Docker, and a deployment of the reader's own",
    "git clone": "the address of the repository",
    "cd ": "the address of the repository",
    "trtexec": "a GPU with TensorRT",
    "mkdir /tmp/first": "the history of the repository",
    "git archive": "the history of the repository",
}
"""The beginning of a command that no test runs as it stands, and what it needs that a test has not."""

FENCED = [command for page in PAGES for command in fenced(page)]
NAMED = [command for page in PAGES for command in inline(page)]
PLACEHOLDER = re.compile(r"\$\w+|<[^>]*>")


class ParsedError(Exception):
    """Ends a program whose parser was found, before anything runs."""


def identify(command: Command) -> str:
    return f"{command.page}: {command.text}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_names_its_language(page: Path) -> None:
    assert [text for language, text in blocks(page) if not language] == []


@pytest.mark.parametrize("command", FENCED, ids=identify)
def test_a_command_is_run_by_a_test_or_says_what_it_needs(command: Command) -> None:
    places = [table[start] for table in (RUN, NEEDS) for start in table if command.text.startswith(start)]
    assert places, f"{command.text!r} is in neither table of {Path(__file__).name}"


@pytest.mark.parametrize("test", sorted(set(RUN.values())))
def test_the_tests_that_run_commands_exist(test: str) -> None:
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text() if name else (ROOT / path).is_file()


def test_the_tables_hold_nothing_that_is_not_shown() -> None:
    shown = [command.text for command in FENCED]
    for start in (*RUN, *NEEDS):
        assert any(text.startswith(start) for text in shown), start


@pytest.mark.parametrize("command", FENCED, ids=identify)
def test_a_shown_command_is_taken_with_its_options(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("shaky.mp4", "sharp.mp4", "report.json"):
        (tmp_path / name).touch()
    for name in ("clips", "frames"):
        (tmp_path / name).mkdir()
    if command.words[:2] == ["python", "-m"]:
        arguments = [PLACEHOLDER.sub("x", word) for word in command.words[3:]]
        parser = parser_of(command.words[2], monkeypatch)
        assert parser.parse_args(arguments) if parser else not arguments
    elif command.words[0] == "cdvd":
        leaf, arguments, context = leaf_of([*takewhile(lambda word: word != ">", command.words[1:])])
        leaf.make_context(leaf.name, [*arguments], parent=context)


@pytest.mark.parametrize("command", [*FENCED, *NAMED], ids=identify)
def test_a_named_command_exists_and_knows_its_options(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {word.partition("=")[0] for word in command.words if word.startswith("--")}
    if command.words[:2] == ["python", "-m"]:
        parser = parser_of(command.words[2], monkeypatch)
        assert options <= ({*parser._option_string_actions} if parser else set())
    elif command.words[0] == "cdvd":
        leaf, _, _ = leaf_of(command.words[1:])
        assert options <= {name for option in leaf.params for name in option.opts}
    elif command.words[0] == "make":
        check_make(command.words[1:])


def parser_of(module: str, monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser | None:
    """Returns the parser of a program's arguments; None for a program that takes none. The program does not run."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    main = importlib.util.find_spec(f"{module}.__main__") if spec.submodule_search_locations else spec
    assert main is not None, module
    assert main.origin is not None
    if "argparse" not in Path(main.origin).read_text():
        return None
    found: list[argparse.ArgumentParser] = []

    def stop(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        found.append(parser)
        raise ParsedError

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        patch.setattr(sys, "argv", [module])
        patch.delitem(sys.modules, main.name, raising=False)
        with pytest.raises(ParsedError):
            runpy.run_module(module, run_name="__main__", alter_sys=False)
    return found[0]


def leaf_of(words: Sequence[str]) -> tuple[Any, Sequence[str], Any]:
    """Returns the subcommand that ``cdvd WORDS`` calls, its arguments, and the context of its parent."""
    command: Any = get_command(app)
    parent, rest = None, list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        parent = command.context_class(command, info_name=command.name, parent=parent)
        _, command, rest = command.resolve_command(parent, rest)
        assert command is not None
    return command, rest, parent


def check_make(words: Sequence[str]) -> None:
    """Asserts that the targets and the extras exist."""
    makefile = (ROOT / "Makefile").read_text()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        name, _, value = word.partition("=")
        if value:
            assert re.search(rf"\b{re.escape(name)}\b", makefile), name
            if name == "EXTRAS":
                assert set(value.split(",")) <= set(extras)
        else:
            assert re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE), name
